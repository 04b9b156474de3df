"""Names of the columns of events and of change logs by role, the surest first."""

from __future__ import annotations

from leadlift.data.vocabulary.patterns import phrases
from leadlift.data.vocabulary.roles import CREATED_PHRASES, LEAD_ID_PHRASES

# A table of events has an id of its own, which is often called "id".
LEAD_OF_ROW_PHRASES = (
    *(phrase for phrase in LEAD_ID_PHRASES if phrase not in {"id", "uuid", "guid"}),
    *phrases("""
        lead, prospect, contact, person, customer, visitor id, account id, profile id, entity id, object id,
        parent id, distinct id, caseid, kunde, interessent, kontakt id, prospect nr, id prospect, id client,
        id contact, id cliente, id contacto, id contatto, id contato, klant id, klant
    """),
)
OCCURRED_PHRASES = (
    *phrases("""
        occurred at, occurred on, occurred, happened at, event time, event timestamp, event date, event
        datetime, event at, event ts, activity date, activity time, activity at, action time, action date,
        visited at, visit date, visit time, performed at, sent at, time stamp, timestamp, ts, datetime, date
        time, moment, when, time, complete timestamp, start timestamp, start time, started at, zeitpunkt,
        zeitstempel, ereigniszeit, ereignisdatum, aktivitatsdatum, uhrzeit, zeit, horodatage, date evenement,
        date de l evenement, date heure, heure, fecha evento, fecha del evento, fecha hora, marca temporal,
        data evento, data ora, data hora, data do evento, tijdstip, tijdstempel, gebeurtenisdatum
    """),
    *CREATED_PHRASES,
)
EVENT_TYPE_PHRASES = phrases("""
    event type, event name, event kind, event category, event, activity type, activity name, activity, action
    type, action name, action, interaction type, interaction, act, touch type, touchpoint type, engagement
    type, verb, type, kind, category, name, ereignistyp, ereignisart, ereignis, aktivitatstyp, aktivitatsart,
    aktivitat, aktion, typ, art, type evenement, type d evenement, evenement, activite, tipo evento, tipo de
    evento, evento, actividad, accion, tipo di evento, attivita, azione, tipo, atividade, acao,
    gebeurtenistype, gebeurtenis, activiteit, actie, soort
""")
CHANNEL_PHRASES = phrases("""
    channel, event channel, marketing channel, channel name, medium, utm medium, platform, touchpoint, via,
    utm source, source, kanal, vertriebskanal, medium kanal, canal, canal marketing, canale, kanaal, mezzo,
    plataforma, plattform
""")
ASSET_PHRASES = phrases("""
    asset, asset name, asset id, content, content name, content title, page, page url, page path, page title,
    page name, url, path, link, document, file name, product, campaign, campaign name, form name, email name,
    email subject, resource, item, object, target, seite, seiten url, inhalt, dokument, kampagne, produkt,
    contenu, ressource, campagne, produit, pagina, contenido, documento, campana, producto, contenuto,
    campagna, prodotto, conteudo, campanha, produto, inhoud, bestand
""")
NUMBER_PHRASES = phrases("""
    value, event value, amount, duration, duration seconds, duration minutes, minutes, seconds, length,
    quantity, count, points, price, revenue, total, time on page, dwell time, scroll depth, wert, betrag,
    dauer, minuten, sekunden, anzahl, menge, punkte, preis, valeur, montant, duree, quantite, valor, importe,
    duracion, cantidad, valore, importo, durata, quantita, duracao, quantidade, waarde, bedrag, duur, aantal
""")
EVENT_TEXT_PHRASES = phrases("""
    text, message, message text, body, comment, comments, note, notes, remark, remarks, description,
    transcript, content text, free text, question, answer, freitext, nachricht, kommentar, notiz, notizen,
    bemerkung, beschreibung, texte, commentaire, remarque, mensaje, texto, comentario, nota, testo, messaggio,
    commento, mensagem, bericht, tekst, opmerking
""")
EVENT_ID_PHRASES = phrases("""
    event id, event uuid, event key, event number, activity id, action id, interaction id, message id, record
    id, row id, log id, hit id, insert id, id, uuid, guid, ereignis id, ereignis nr, aktivitats id, id
    evenement, id evento, id actividad, id attivita, gebeurtenis id, transaction id
""")
RECORDED_PHRASES = phrases("""
    recorded at, recorded on, recorded, ingested at, ingestion time, ingested, received at, received, loaded
    at, load date, load time, inserted at, insert time, logged at, logged on, stored at, synced at, sync
    time, imported at, processed at, processing time, arrived at, server time, entered at, entry time, known
    at, available at, created at, created on, created, updated at, erfasst am, erfasst, eingegangen am,
    importiert am, geladen am, gespeichert am, verarbeitet am, enregistre le, recu le, importe le,
    registrado en, registrado, recibido, importado, registrato il, ricevuto, importato il, registrado em,
    recebido em, geregistreerd op, ontvangen op, ingelezen op
""")

CHANGED_PHRASES = (
    *phrases("""
        changed at, changed on, change date, change time, change timestamp, changed, date changed, valid from,
        effective from, effective at, effective date, modified at, modified on, modified date, modification
        date, updated at, updated on, edit date, edited at, logged at, geandert am, geaendert am, geandert,
        anderungsdatum, aenderungsdatum, gultig ab, gueltig ab, modifie le, date modification, date de
        modification, modificado, fecha cambio, fecha de cambio, fecha modificacion, modificato il, data
        modifica, data di modifica, alterado em, data alteracao, data de alteracao, gewijzigd op,
        wijzigingsdatum
    """),
    *OCCURRED_PHRASES,
)
FIELD_PHRASES = phrases("""
    field, field name, fieldname, changed field, property, property name, attribute, attribute name, column,
    column name, key, variable, feld, feldname, eigenschaft, attribut, merkmal, spalte, champ, nom du champ,
    propriete, campo, nombre campo, propiedad, atributo, proprieta, nome campo, propriedade, veld, veldnaam,
    eigenschap, kenmerk
""")
NEW_VALUE_PHRASES = phrases("""
    new value, value new, to value, value to, value after, after, new, to, changed to, current value, value,
    new state, to state, new stage, to stage, neuer wert, wert neu, neu, nachher, nach, wert, nouvelle valeur,
    valeur apres, valeur, nuevo valor, valor nuevo, valor, nuovo valore, valore, novo valor, nieuwe waarde,
    waarde
""")
OLD_VALUE_PHRASES = phrases("""
    old value, value old, from value, value from, value before, previous value, prior value, original value,
    before, old, from, previous, changed from, old state, from state, old stage, from stage, alter wert, wert
    alt, vorheriger wert, alt, vorher, ancienne valeur, valeur avant, valeur precedente, valor anterior, valor
    antiguo, valor previo, vecchio valore, valore precedente, valor antigo, oude waarde, vorige waarde
""")
