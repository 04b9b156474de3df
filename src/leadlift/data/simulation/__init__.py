"""The simulated CRM behind :func:`leadlift.data.datasets.make_leads`, one cause a file."""
