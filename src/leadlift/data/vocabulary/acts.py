"""Names of event types and assets by what the act is about."""

from __future__ import annotations

from types import MappingProxyType

from leadlift.data.vocabulary.patterns import phrases

# By meaning, phrases; an act may have several meanings.
ACT_PHRASES = MappingProxyType(
    {
        "content": phrases("""
            case study, case studies, white paper, whitepaper, e book, ebook, blog, article, guide, report,
            webinar, success story, reference, references, tutorial, video, podcast, product, comparison,
            newsletter, documentation, docs, fallstudie, leitfaden, anwenderbericht, referenz, artikel,
            etude de cas, livre blanc, guide pratique, caso de exito, estudio de caso, guia, caso di studio,
            praktijkvoorbeeld
        """),
        "pricing": phrases("""
            price, prices, pricing, price list, pricelist, price page, plans, tariff, tariffs, rates, cost,
            costs, preis, preise, preisliste, kosten, tarif, tarifs, prix, precio, precios, tarifa, tarifas,
            prezzo, prezzi, listino, preco, precos, prijs, prijzen, prijslijst
        """),
        "demo": phrases("""
            demo, demonstration, trial, free trial, test drive, product tour, probe, testversion, vorfuhrung,
            essai, prueba, prova, proef
        """),
        "quote": phrases("""
            quote, quotation, quote request, request quote, proposal, offer request, rfq, rfp, angebot,
            angebotsanfrage, kostenvoranschlag, devis, presupuesto, cotizacion, preventivo, orcamento, offerte
        """),
        "hand_raise": phrases("""
            contact me, contact us, contact form, contact sales, call me, call back, callback, talk to sales,
            hand raise, meeting request, book meeting, book a meeting, contact, kontakt, ruckruf, contactez,
            contacto, contatto, contato
        """),
    }
)
