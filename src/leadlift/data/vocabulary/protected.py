"""Names of protected attributes: Article 9 GDPR and the grounds of the EU equality directives."""

from __future__ import annotations

from leadlift.data.vocabulary.patterns import NamePattern, phrases

# Things that have an age but are no persons, and units in which no person's age is counted.
_THINGS = phrases("""
    account, company, firm, business, lead, domain, website, vehicle, car, policy, property, house,
    building, contract, ticket, order, device, record, firma, unternehmen, konto, entreprise, empresa,
    azienda, bedrijf, days, hours, minutes
""")

# The order decides: "sexual orientation" before "sex", "country of birth" before "birth".
PROTECTED = (
    NamePattern(
        "sexual orientation",
        phrases("""
            sexual orientation, sexuality, sexual preference, lgbt, lgbtq, sexuelle orientierung,
            sexualitat, orientation sexuelle, orientacion sexual, orientamento sessuale, orientacao sexual,
            seksuele geaardheid
        """),
    ),
    NamePattern(
        "nationality",
        phrases("""
            nationality, citizenship, country of birth, birth country, birth place, place of birth,
            national origin, immigration status, immigrant, migrant, migration background, nationalitat,
            staatsangehorigkeit, staatsangehoerigkeit, staatsburgerschaft, staatsbuergerschaft, geburtsland,
            geburtsort, migrationshintergrund, nationalite, citoyennete, pays de naissance, lieu de
            naissance, nacionalidad, ciudadania, pais de nacimiento, lugar de nacimiento, nazionalita,
            cittadinanza, luogo di nascita, nacionalidade, cidadania, nationaliteit, staatsburgerschap,
            geboorteland, geboorteplaats
        """),
    ),
    NamePattern("nationality", ("citizen",), unless=("senior",)),
    NamePattern(
        "gender",
        phrases("""
            gender, sex, male, female, is man, is woman, salutation, geschlecht, anrede, mannlich,
            maennlich, weiblich, sexe, civilite, genero, sexo, genere, sesso, geslacht, aanhef
        """),
    ),
    NamePattern(
        "gender",
        ("genre",),
        unless=phrases("""
            music, film, movie, book, game, content, favourite, favorite
        """),
    ),
    NamePattern(
        "age",
        phrases("""
            age, ages, birth, birthday, birthdate, birthyear, dob, yob, senior citizen, alter, altersgruppe,
            altersklasse, lebensalter, kundenalter, geburtstag, geburtsdatum, geburtsjahr, geburt,
            naissance, edad, nacimiento, nascita, idade, nascimento, faixa etaria, leeftijd, leeftijdsgroep,
            geboortedatum, geboortejaar
        """),
        unless=_THINGS,
    ),
    NamePattern("age", ("eta", "eta cliente"), whole_name=True),
    NamePattern(
        "marital status",
        phrases("""
            marital, marital status, civil status, relationship status, married, divorced, widowed, spouse,
            husband, wife, familienstand, zivilstand, verheiratet, ehepartner, etat civil, situation
            familiale, situation matrimoniale, statut marital, conjoint, estado civil, casado,
            conyuge, stato civile, sposato, coniuge, conjuge, burgerlijke staat, gehuwd, echtgenoot
        """),
    ),
    NamePattern(
        "ethnicity",
        phrases("""
            ethnicity, ethnic, ethnic group, race, racial, skin color, skin colour, caste, ethnie, ethnisch,
            ethnizitat, ethnische herkunft, rasse, hautfarbe, ethnique, etnia, etnicidad, raza, razza,
            etnico, raca, cor da pele, etniciteit, etnische afkomst, huidskleur
        """),
    ),
    NamePattern(
        "religion",
        phrases("""
            religion, religious, faith, church, denomination, konfession, religios, glaube, kirchensteuer,
            religieux, religiosa, religioso, religione, religiao, religie, geloofsovertuiging
        """),
    ),
    NamePattern(
        "disability",
        phrases("""
            disability, disabilities, disabled person, handicap, handicapped, behinderung, schwerbehindert,
            schwerbehinderung, behindert, handicape, invalidite, discapacidad, discapacitado, minusvalia,
            disabilita, disabile, invalidita, deficiencia, deficiente, invaliditeit, gehandicapt
        """),
    ),
    NamePattern(
        "political views",
        phrases("""
            political, politics, political party, party affiliation, voter, politische, parteizugehorigkeit,
            parteizugehoerigkeit, parteimitglied, opinion politique, orientation politique, opinion
            politica, orientacion politica, afiliacion politica, partido politico, opinione politica,
            orientamento politico, opiniao politica, politieke, politieke voorkeur
        """),
    ),
    NamePattern(
        "trade union membership",
        phrases("""
            trade union, labor union, labour union, union member, union membership, gewerkschaft,
            gewerkschaftsmitglied, syndicat, syndicale, sindicato, sindacato, vakbond, vakbondslid
        """),
    ),
    NamePattern(
        "pregnancy",
        phrases("""
            pregnancy, pregnant, maternity, schwanger, schwangerschaft, mutterschutz, grossesse, enceinte,
            embarazo, embarazada, gravidanza, incinta, gravidez, gravida, zwanger, zwangerschap
        """),
    ),
)
