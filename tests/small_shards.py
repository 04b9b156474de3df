"""Jobs cut into small pieces, so that small tables have many."""

from leadlift.serving import running, scoring


def cut(monkeypatch, piece_rows):
    """Let the jobs of this process score so many rows at once, and four times as many a shard."""
    monkeypatch.setattr(scoring, "PIECE_ROWS", piece_rows)
    monkeypatch.setattr(running, "SHARD_ROWS", piece_rows * scoring.PIECES_A_SHARD)
