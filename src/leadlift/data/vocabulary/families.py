"""Names of columns by family of the sub-scores."""

from __future__ import annotations

from types import MappingProxyType

from leadlift.data.vocabulary.patterns import phrases
from leadlift.terms import Family

# By family, phrases; the longest phrase in a name decides, then the order given here.
FAMILY_PHRASES = MappingProxyType(
    {
        Family.INTENT: phrases("""
            demo, demo page, quote, quotation, pricing, pricing page, price page,
            price list, price request, contact me, contact us, call me,
            callback, call back, trial, budget, authority, decision maker, need, timeline, time frame,
            timeframe, buying, purchase intent, intent, product comparison, comparison, case study,
            checkout, basket, cart, add to cart, shopping cart, wishlist, brochure, angebot, preisliste,
            kaufabsicht, warenkorb, ruckruf, devis, tarif, panier, presupuesto, cotizacion, carrito,
            preventivo, carrello, orcamento, carrinho, offerte, prijslijst, winkelwagen, visits pricing,
            pricing views, request
        """),
        Family.SOURCE: phrases("""
            source, lead source, lead origin, origin, channel, medium, campaign, utm, referrer, referral,
            referer, landing page, first page, keyword, ad, ads, advert, advertisement, digital
            advertisement, gclid, affiliate, partner, first touch, traffic source, traffic type, how did you
            hear, recommendation, recommendations, newspaper, magazine, search, forum, forums, event name,
            contact type, month, quelle, kanal, kampagne, herkunft, provenance, canal, campagne,
            origine, fuente, origen, campana, fonte, canale, campagna, origem, campanha, bron, kanaal
        """),
        Family.ENGAGEMENT: phrases("""
            visit, visits, visitor, visitor type, view, views, page, pages, page views, page values,
            session, sessions, click, clicks, open, opens, opened, time spent, time on site, minutes on
            site, minutes, seconds, duration, download, downloads, webinar, webinars, activity, activities,
            last activity, email, emails, do not email, do not call, opt in, opt out, newsletter,
            subscribed, subscription, bounce, bounces, exit, exit rates, bounce rates, form, forms, form
            fills, social, likes, followers, chat, login, logins, interaction, interactions, response,
            responses, touches, recency, frequency, browser, operating systems, contact, contacts, previous,
            updates, receive, besuche, seitenaufrufe, klicks, sitzungen, visites, pages vues, clics,
            visitas, paginas, visite, pagine, bezoeken, paginaweergaven
        """),
        Family.FIT: phrases("""
            company, company size, size, industry, sector, segment, vertical, employee, employees,
            headcount, revenue, annual revenue, turnover, region, country, state, city, zip, postcode,
            postal, territory, location, office, job, job title, title, seniority, role, function,
            department, occupation, profession, education, specialization, degree, income, salary,
            household, housing, home, loan, mortgage, default, balance, credit, savings, persona, business
            type, business segment, customer type, account, account type, product, language, tenure,
            insurance, policy, premium, accomodation, accommodation, vehicle, car, branche, mitarbeiter,
            land, ort, plz, beruf, einkommen, position, abteilung, secteur, effectif, pays, ville, metier,
            profession, entreprise, empresa, empleados, pais, ciudad, provincia, cargo, ingresos, azienda,
            settore, dipendenti, paese, citta, professione, reddito, setor, funcionarios, cidade, estado,
            bedrijf, medewerkers, plaats, beroep, inkomen
        """),
    }
)
