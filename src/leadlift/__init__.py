"""Learn from won and lost leads how likely a new lead is to convert."""
__version__ = "0.1.0"
