"""Names of columns that are written when, or after, the lead is decided."""

from __future__ import annotations

from leadlift.data.vocabulary.losses import WHY_IT_ENDED
from leadlift.data.vocabulary.patterns import NamePattern, phrases

EARLIER = phrases("""
    previous, prior, prev, earlier, past, former, vorherige, vorheriger, fruherer, precedent, precedente,
    anterior, vorige, eerdere
""")

# A status or a stage of the person or the company, not of the lead.
_OTHER_STATUS = (
    *EARLIER,
    *phrases("""
        marital, civil, relationship, family, employment, job, work, occupation, professional, student,
        smoking, housing, home, residence, residential, visa, immigration, tax, vat, legal, social, health,
        vehicle, credit, loan, funding, growth, company, business, life, subscription, subscriber,
        newsletter, email, mail, opt, consent, gdpr, membership, member, loyalty, account, device, browser,
        cookie, form, page, stages, insurance, ownership, education, financial
    """),
)

# An earlier purchase is history; "paid search" is a channel.
_EARLIER_OR_ADVERTISING = (
    *EARLIER,
    *phrases("previously, last, search, media, social, ads, ad, click, clicks, traffic, campaign"),
)

# Strong: whoever writes the column knows the ending. Checked in this order, so the plainest reason is given.
LEAK_STRONG = (
    NamePattern(
        WHY_IT_ENDED,
        phrases("""
            lost reason, loss reason, reason lost, reason for loss, close reason, closed reason, win reason,
            won reason, rejection reason, reject reason, disqualification reason, disqualified reason,
            cancellation reason, churn reason, reason code, status reason, loss note, loss notes,
            verlustgrund, ablehnungsgrund, absagegrund, abschlussgrund, raison perte, raison de
            perte, motif de perte, motif perte, motif refus, motivo perdida, motivo de perdida, motivo
            rechazo, motivo perdita, motivo di perdita, motivo da perda, motivo perda, reden verlies,
            verliesreden, afwijsreden
        """),
    ),
    NamePattern(
        WHY_IT_ENDED,
        phrases("""
            reason, reasons, grund, raison, motif, motivo, reden
        """),
        whole_name=True,
    ),
    NamePattern(
        "names the outcome",
        phrases("""
            won, lost, win loss, closed won, closed lost, converted, is conversion, converted at, outcome,
            verdict, became customer, is customer, gewonnen, verloren, verloren an,
            konvertiert, gagne, perdu, converti, ganado, ganada, perdido, perdida, convertido, vinto, perso,
            convertito, ganho, geconverteerd
        """),
        unless=(*EARLIER, "award", "awards", "prize", "grant", "income", "salary", "price", "krw"),
    ),
    NamePattern(
        "says where the lead stands in the sales process",
        phrases("""
            status, stage, substage, substatus, sales stage, deal stage, lifecycle stage, pipeline, lead
            state, deal state, opportunity state, leadstatus, dealstage, angebotsstatus, verkaufsphase,
            vertriebsphase, verkaufsstufe, statut, etape, etat du lead, etat opportunite, etapa, estado
            lead, estado del lead, estado do lead, estado oportunidad, estado da oportunidade, stato lead,
            stato opportunita, fase trattativa, fase di vendita, fase venta, fase vendas, verkoopfase,
            leadfase
        """),
        unless=_OTHER_STATUS,
    ),
    NamePattern(
        "is written when the lead is closed",
        phrases("""
            closed, close, closing, close date, close value, days to close, time to close, time to win,
            abschlussdatum, abgeschlossen, abschlusswert, geschlossen, cloture, conclu, cierre, cerrado,
            cerrada, chiusura, chiuso, chiusa, fechamento, fechado, fechada, afgesloten, sluitdatum,
            afsluitdatum
        """),
        unless=("relative", "friend", "family", "store", "shop"),
    ),
    NamePattern(
        "is a judgement of the lead by its owner",
        phrases("""
            lead quality, lead profile, lead grade, lead rating, lead temperature, lead behaviour profile,
            lead behavior profile, disposition, disqualified, qualified, qualified at, next step, next
            steps, forecast category, win probability, deal probability, tags, owner notes, sales notes,
            call notes, owner comment, owner comments, agent notes, leadqualitat, leadbewertung,
            qualifiziert, abschlusswahrscheinlichkeit, qualite du lead, qualite lead, calidad del lead,
            calidad lead, qualita lead, qualidade do lead, qualidade lead, leadkwaliteit
        """),
    ),
    NamePattern(
        "is a state at export, written on after the lead was created",
        phrases("""
            last notable, last modified, last updated, modified at, modified date, modified on, updated at,
            update date, last status, last stage, zuletzt geandert, anderungsdatum, aenderungsdatum,
            derniere modification, ultima modificacion, ultima modifica, ultima modificacao, laatst
            gewijzigd, wijzigingsdatum
        """),
    ),
    NamePattern(
        "is known only after the call",
        phrases("""
            call duration, call length, call time, call seconds, call minutes, talk time, call result, call
            outcome, call disposition, contact duration, contact result, meeting result, conversation
            length, gesprachsdauer, gespraechsdauer, anrufdauer, gesprachsergebnis, duree appel, duree de l
            appel, duree conversation, duracion llamada, duracion de la llamada, durata chiamata, durata
            della chiamata, duracao chamada, duracao da chamada, duracao da ligacao, gespreksduur, belduur
        """),
        unless=(*EARLIER, "best", "preferred"),
    ),
    NamePattern(
        "exists only where there is a deal",
        phrases("""
            deal amount, deal value, deal size, deal price, contract value, contract amount, contract
            number, contract date, contract id, contract signed, signed at, signature date, signed date,
            invoice, invoice number, order value, order amount, order number, order id, payment date,
            payment received, amount paid, paid, purchase date, purchase amount, purchased, sale amount,
            sale date, sale value, actual revenue, opportunity amount, opportunity value, booking amount,
            mrr, acv, tcv, vertragswert, vertragsnummer, vertragsdatum, auftragswert, auftragsnummer,
            rechnung, rechnungsbetrag, rechnungsnummer, kaufdatum, montant du contrat, montant contrat, date
            signature, facture, date d achat, importe contrato, valor contrato, valor del contrato, fecha
            firma, fecha compra, factura, importo contratto, valore contratto, data firma, fattura, valor do
            contrato, data assinatura, data da compra, fatura, contractwaarde, contractnummer, orderwaarde,
            factuur, factuurnummer
        """),
        unless=_EARLIER_OR_ADVERTISING,
    ),
)

# Weak: as often known beforehand as not; counts only beside other evidence.
LEAK_WEAK = (
    NamePattern(
        "may be the result of the contact",
        phrases("""
            result, results, ergebnis, resultat, resultado, risultato, esito, resultaat, uitkomst,
            conversion, response, reply, success, approved, declined, rejected, accepted, decision
        """),
        unless=(*EARLIER, "search", "test", "maker", "role", "email", "mail"),
    ),
    NamePattern(
        "may be a judgement of the lead by its owner",
        phrases("""
            quality, rating, grade, lead score, score, priority, qualification, temperature, tag, remarks,
            remark, notes, note, comments, comment, bewertung, bemerkung, bemerkungen, notiz, notizen,
            kommentar, prioritat, remarque, remarques, commentaire, commentaires, comentario, comentarios,
            observaciones, nota, notas, note, observacoes, opmerking, opmerkingen
        """),
        unless=("credit", "education", "school", "promissory"),
    ),
    NamePattern(
        "may be a state at export, written on after the lead was created",
        phrases("""
            last activity, last contact, last contacted, last event, last touch, last action, last
            interaction, last seen, last login, last visit, last call, last email, recent activity, activity
            index, activity score, modified, updated, letzte aktivitat, letzter kontakt, derniere activite,
            dernier contact, ultima actividad, ultimo contacto, ultima attivita, ultimo contatto, ultima
            atividade, ultimo contato, laatste activiteit, laatste contact
        """),
        unless=(*EARLIER, "campaign"),
    ),
    NamePattern(
        "may be how long the contact lasted",
        phrases("""
            duration, duration seconds, duration minutes, duration sec, duration min, dauer, duree,
            duracion, durata, duracao, duur
        """),
        whole_name=True,
    ),
    NamePattern(
        "may count what sales did",
        phrases("""
            calls, call count, number of calls, calls made, call attempts, attempts, meetings, meetings
            held, follow ups, followups, anrufe, anzahl anrufe, nombre appels, llamadas, chiamate, chamadas,
            belpogingen
        """),
    ),
    NamePattern(
        "may exist only where there is a deal",
        phrases("""
            amount, value, contract, revenue, discount, payment, order, orders, purchase, premium paid,
            betrag, vertrag, auftrag, umsatz, rabatt, montant, contrat, remise, importe, contrato,
            descuento, importo, contratto, sconto, desconto, bedrag, korting, opportunity, seller id, customer
            since, customer id, customer number, kundennummer, klantnummer
        """),
        whole_name=True,
    ),
    NamePattern(
        "may say why the lead ended",
        phrases("reason, competitor, competitors, grund, raison, motif, motivo, reden"),
        unless=phrases("""
            visit, contact, enquiry, inquiry, interest, joining, travel, loan, choosing, choice, besuch
        """),
    ),
)
