"""A challenger is trained, held against the champion on leads that neither knows, and promoted or refused."""
