"""Names of columns that answer one of the four questions of BANT: budget, authority, need, timeline."""

from __future__ import annotations

from types import MappingProxyType

from leadlift.data.vocabulary.patterns import phrases

# By question, phrases; the first question with a match takes the column.
BANT_PHRASES = MappingProxyType(
    {
        "budget": phrases("""
            budget, budget range, budget confirmed, budget status, budgetrahmen, presupuesto disponible,
            orcamento disponivel
        """),
        "authority": phrases("""
            authority, decision maker, decision makers, decision role, decision power, decision authority,
            buying role, buyer role, purchase role, purchasing role, role in decision, role in purchase,
            signatory, economic buyer, entscheider, entscheidungstrager, entscheidungsbefugnis, decideur,
            pouvoir de decision, decisor, tomador de decision, poder de decision, decisore, decisionale,
            tomador de decisao, poder de decisao, beslisser, beslissingsbevoegdheid
        """),
        "need": phrases("""
            need, needs, pain, pain point, pain points, use case, use cases, requirement, requirements,
            business need, bedarf, bedurfnis, anforderung, anforderungen, besoin, besoins, necesidad,
            necesidades, bisogno, bisogni, esigenza, necessidade, necessidades, behoefte, behoeften
        """),
        "timeline": phrases("""
            timeline, time line, timeframe, time frame, timescale, time scale, buying horizon,
            purchase horizon, purchase date, planned purchase, expected purchase, purchase timing,
            buying timing, implementation date, project start, zeitrahmen, zeithorizont, kaufzeitpunkt,
            projektstart, echeance, delai, calendrier, plazo, fecha de compra, tempistica, tempistiche,
            prazo, data de compra, tijdlijn, termijn, aankoopdatum
        """),
    }
)
