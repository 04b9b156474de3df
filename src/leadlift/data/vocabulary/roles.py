"""Names of columns by role, and cells by what they say: endings and "not recorded"."""

from __future__ import annotations

from leadlift.data.vocabulary.patterns import phrases

# Cells that mean "not recorded". Words that are a level of their own ("none", "nonexistent", "other",
# "no") are not here: "never contacted before" is an answer.
MISSING_WORDS = frozenset(
    phrases("""
        select, please select, choose, please choose, ?, ??, -, --, ., n/a, #n/a, na, n.a., n.a, nan, <na>,
        nat, null, (null), unknown, unkown, not available, not specified, unspecified, undefined, not
        provided, not known, no data, missing, (blank), blank, #value!, #ref!, #div/0!, xna, unbekannt,
        keine angabe, k.a., bitte wahlen, inconnu, non renseigne, desconocido, sin datos, sconosciuto,
        desconhecido, nao informado, onbekend
    """)
)

# Numbers that people write for "not recorded"; beside -1 only rows of nines.
SENTINEL_NUMBERS = frozenset(
    {-1.0, -9.0, -99.0, -999.0, -9999.0, 99.0, 999.0, 9999.0, 99999.0, 999999.0, 9999999.0}
)

WON_VALUES = frozenset(
    phrases("""
        won, closed won, deal won, win, yes, y, true, t, 1, converted, customer, sold, sale, purchased,
        bought, approved, accepted, signed, subscribed, success, successful, enrolled, booked, ordered,
        paid, responded, positive, gewonnen, ja, wahr, abgeschlossen, verkauft, kunde, oui, gagne, vendu,
        signe, vrai, si, ganado, ganada, vendido, verdadero, vinto, venduto, vero, sim, ganho, vendida,
        verdadeiro, verkocht, waar, klant
    """)
)
LOST_VALUES = frozenset(
    phrases("""
        lost, closed lost, deal lost, loss, lose, no, n, false, f, 0, not converted, unconverted, declined,
        denied, rejected, refused, cancelled, canceled, dropped, disqualified, unqualified, dead, junk, not
        interested, failed, failure, unsuccessful, expired, withdrawn, negative, churned, verloren, nein,
        falsch, abgelehnt, abgesagt, storniert, non, perdu, refuse, annule, faux, perdido, perdida,
        rechazado, cancelado, falso, perso, rifiutato, annullato, nao, recusado, nee, afgewezen,
        geannuleerd, onwaar
    """)
)
OPEN_VALUES = frozenset(
    phrases("""
        open, still open, in progress, pending, new, working, active, ongoing, prospecting, prospect,
        engaging, engaged, contacted, qualified, qualifying, nurturing, nurture, negotiation, negotiating,
        proposal, proposal sent, demo, demo scheduled, meeting scheduled, contract sent, quoted, discovery,
        qualification, review, assigned, on hold, undecided, follow up, needs analysis, value proposition,
        perception analysis, offen, neu, in bearbeitung, en cours, ouvert, nouveau, en attente, abierto,
        abierta, nuevo, en proceso, en curso, pendiente, aperto, aperta, nuovo, in corso, aberto, aberta,
        novo, em andamento, pendente, lopend, nieuw, in behandeling
    """)
)

# Column names by role, the surest first.
LABEL_PHRASES = phrases("""
    converted, conversion, is converted, won, is won, deal stage, outcome, closed won, win, win loss, y,
    target, label, response, purchase, purchased, subscribed, bought, sold, revenue, deal status, lead
    status, opportunity stage, sales stage, stage name, stage, status, result, success, accepted, approved,
    enrolled, is customer, class, gewonnen, abschluss, konvertiert, ergebnis, kauf, converti, gagne,
    resultat, statut, achat, convertido, ganado, resultado, compra, estado, convertito, vinto, esito,
    acquisto, stato, ganho, etapa, gekocht, resultaat
""")
LEAD_ID_PHRASES = phrases("""
    lead id, prospect id, lead key, lead uuid, opportunity id, case id, contact id, record id, customer id,
    client id, user id, application id, mql id, deal id, person id, id, uuid, guid, lead number, lead no,
    case number, kunden id, kundennr, kunden nr, leadnr, lead nr, interessenten id, kundennummer, leadnummer,
    identifiant, identificador, codigo, identificativo, klantnummer
""")
CREATED_PHRASES = phrases("""
    created at, created date, create date, created on, created, creation date, date created, date added,
    added on, first contact, first contact date, first seen, first touch, first visit, engage date, engaged
    at, registered, registered at, registration date, reg date, signup date, sign up, signed up, submitted
    at, submission date, received, received at, inquiry date, enquiry date, application date, lead date,
    entry date, opened, opened at, open date, start date, started at, request date, date, timestamp,
    erstellt, erstellt am, erstelldatum, angelegt, angelegt am, eingang, eingangsdatum, erstkontakt, datum,
    cree le, date creation, date de creation, premier contact, fecha creacion, fecha de creacion, creado,
    primer contacto, fecha, data creazione, data di creazione, creato, data criacao, data de criacao, criado
    em, primeiro contato, data, aangemaakt, aanmaakdatum, aangemaakt op, eerste contact
""")
CLOSED_PHRASES = phrases("""
    closed at, close date, closed date, closed on, closing date, closed, won date, won at, date won, lost
    date, outcome at, outcome date, conversion date, converted at, converted date, decision date, decided
    at, end date, ended at, signed date, signed at, purchase date, sale date, abschlussdatum, abgeschlossen
    am, geschlossen am, date cloture, date de cloture, date signature, fecha cierre, fecha de cierre, data
    chiusura, data di chiusura, data fechamento, data de fechamento, afsluitdatum, sluitdatum, gesloten op
""")
