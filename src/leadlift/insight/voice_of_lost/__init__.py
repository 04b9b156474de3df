"""What leads that dropped out say, and what is said of them: reasons, terms, themes and sentiment."""
