"""Words that betray what a column or a cell is: data only.

English, German, French, Spanish, Italian, Portuguese and Dutch, in lower case and without accents, as
:func:`leadlift.data.naming.words` writes names. A phrase of several words matches when they stand side by
side in a column name. The words are the field names of common CRM exports and public lead tables.
"""
