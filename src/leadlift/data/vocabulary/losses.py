"""Names of columns in which lost leads, or those who spoke with them, say why."""

from __future__ import annotations

from leadlift.data.vocabulary.patterns import phrases

WHY_IT_ENDED = "says why the lead ended"
"""Meaning, in :mod:`leadlift.data.vocabulary.leaks`, of columns that hold a reason or words about it."""

FREE_TEXT = phrases("""
    note, notes, comment, comments, feedback, text, remark, remarks, description, message, notiz, notizen,
    kommentar, bemerkung, commentaire, remarque, comentario, comentarios, nota, opmerking
""")
"""Words in the name of a column that holds free text."""
