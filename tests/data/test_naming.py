"""What names give away, in seven languages, and what they do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlift.data.naming import guess_family, leak_words, matching_phrase, protected_attribute, words
from leadlift.data.vocabulary import leaks, protected
from leadlift.data.vocabulary.families import FAMILY_PHRASES
from leadlift.terms import Family

XEDUCATION_AFTER_THE_OUTCOME = {"Tags", "Lead Quality", "Lead Profile", "Last Notable Activity"}


def names_in(text: str) -> list[str]:
    return [" ".join(name.split()) for name in text.split(",")]


INNOCENT_OF_PROTECTED = names_in("""
    page, Stage, language, average_order, usage, package, message, trace, embrace, Essex,
    account_age, company age, age_days, European Union, terrace, country, region, Job Title,
    email_status, Page Views Per Visit
""")
WRITTEN_AFTER_THE_OUTCOME = names_in("""
    lead_status, StageName, Closed Date, close_value, Lost Reason, Verlustgrund, Won, verdict, Lead
    Quality, Tags, call duration, Gesprächsdauer, deal_amount, Contract Value, invoice_no, Last
    Notable Activity, LastModifiedDate, motivo perdita, etapa, Vertragswert, converted_at
""")
INNOCENT_OF_LEAKS = names_in("""
    marital_status, Employment Status, email status, subscription_status, funding stage, life stage,
    Visit Reason, paid_search_visits, previous_outcome, Administrative_Duration, annual revenue,
    backstage, disclosure, wonder, closest_store, poutcome, campaign, contact, estado, income won
""")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("LeadStatusID", ("lead", "status", "id")),
        ("État_civil", ("etat", "civil")),
        ("Straße 12b", ("strasse", "12", "b")),
        ("CRMStage", ("crm", "stage")),
        ("", ()),
        ("年齢", ()),
    ],
)
def test_a_name_falls_into_plain_words(name, expected):
    assert words(name) == expected


@given(st.text())
def test_any_text_falls_into_words_of_letters_or_digits(name):
    assert all(word.isascii() and (word.isalpha() or word.isdigit()) for word in words(name))


@pytest.mark.parametrize(
    ("attribute", "names"),
    [
        ("gender", ["gender", "Sex", "Geschlecht", "sexe", "Género", "genere", "sexo", "geslacht", "Anrede"]),
        (
            "age",
            [
                "age",
                "Alter",
                "âge",
                "Edad",
                "età",
                "idade",
                "leeftijd",
                "customerAge",
                "Upper_Age",
                "AGE_GROUP",
            ],
        ),
        ("age", ["date of birth", "DOB", "Geburtsdatum", "fecha_nacimiento", "SeniorCitizen"]),
        (
            "marital status",
            [
                "marital",
                "MARITALSTATUS",
                "Familienstand",
                "état civil",
                "estado civil",
                "stato civile",
                "Is_Spouse",
            ],
        ),
        ("ethnicity", ["ethnicity", "Race", "ethnie", "raza", "Hautfarbe", "etniciteit"]),
        ("religion", ["Religion", "Konfession", "religião", "religione"]),
        ("disability", ["disability", "Schwerbehinderung", "discapacidad", "handicap"]),
        (
            "nationality",
            ["nationality", "Staatsangehörigkeit", "cittadinanza", "citizenship", "Country of Birth"],
        ),
        ("political views", ["political_party", "Parteizugehörigkeit", "opinion politique"]),
        ("sexual orientation", ["sexual orientation", "orientación sexual", "seksuele geaardheid"]),
        ("pregnancy", ["is_pregnant", "Schwangerschaft", "embarazada"]),
        ("trade union membership", ["union_member", "Gewerkschaft", "sindicato"]),
    ],
)
def test_protected_attributes_are_known_in_seven_languages(attribute, names):
    assert {name: protected_attribute(name) for name in names} == dict.fromkeys(names, attribute)


@pytest.mark.parametrize("name", INNOCENT_OF_PROTECTED)
def test_innocent_names_hold_no_protected_attribute(name):
    assert protected_attribute(name) is None


@pytest.mark.parametrize("name", WRITTEN_AFTER_THE_OUTCOME)
def test_names_written_after_the_outcome_are_strong_suspects(name):
    found = leak_words(name)
    assert found is not None
    assert found.strength == "strong"


@pytest.mark.parametrize(
    "name", ["duration", "Dauer", "amount", "Last Activity", "n_calls", "rating", "comments"]
)
def test_names_that_may_be_harmless_are_weak_suspects(name):
    assert leak_words(name).strength == "weak"


@pytest.mark.parametrize("name", INNOCENT_OF_LEAKS)
def test_innocent_names_are_no_suspects(name):
    assert leak_words(name) is None


def test_a_suspect_says_which_words_and_why():
    assert str(leak_words("Lost Reason")) == "the name ('lost reason') says why the lead ended"


@pytest.mark.parametrize(
    ("family", "names"),
    [
        (Family.FIT, ["Industry", "company_size", "Job Title", "Branche", "seniority", "Country"]),
        (Family.ENGAGEMENT, ["TotalVisits", "Page Views Per Visit", "email_opens", "downloads", "Klicks"]),
        (Family.INTENT, ["demo_requested", "quote", "contact me", "pricing_page_views", "budget"]),
        (Family.SOURCE, ["Lead Source", "utm_medium", "Landing Page", "Kampagne", "canal", "referrer"]),
        (Family.OTHER, ["x17", "euribor3m", ""]),
    ],
)
def test_families_are_guessed_from_names(family, names):
    assert {name: guess_family(name) for name in names} == dict.fromkeys(names, family)


def test_a_phrase_matches_words_and_never_parts_of_words():
    assert matching_phrase("Deal-Stage", ["deal stage"]) == "deal stage"
    assert matching_phrase("dealstage", ["deal stage"]) == "deal stage"
    assert matching_phrase("backstage", ["stage"]) is None
    assert matching_phrase("my stage", ["stage"], whole_name=True) is None


@pytest.mark.parametrize("pattern", [*protected.PROTECTED, *leaks.LEAK_STRONG, *leaks.LEAK_WEAK])
def test_vocabularies_are_written_as_names_are_read(pattern):
    misspelt = [phrase for phrase in (*pattern.phrases, *pattern.unless) if " ".join(words(phrase)) != phrase]
    assert misspelt == []


def test_family_phrases_are_written_as_names_are_read():
    phrases = [phrase for family in FAMILY_PHRASES.values() for phrase in family]
    assert [phrase for phrase in phrases if " ".join(words(phrase)) != phrase] == []


@pytest.mark.real_data
def test_on_x_education_the_strong_suspects_are_those_sales_writes(real_data):
    header = (real_data / "xeducation/Leads.csv").read_text(encoding="utf-8").split("\n", 1)[0].split(",")
    strong = {name for name in header if (found := leak_words(name)) and found.strength == "strong"}
    assert strong == XEDUCATION_AFTER_THE_OUTCOME | {"Converted"}


@pytest.mark.real_data
def test_on_bank_marketing_only_the_duration_is_suspect(real_data):
    line = (
        (real_data / "bank_marketing/bank-additional-full.csv").read_text(encoding="utf-8").split("\n", 1)[0]
    )
    header = [name.strip('"') for name in line.split(";")]
    assert [name for name in header if leak_words(name)] == ["duration"]
    assert [name for name in header if protected_attribute(name)] == ["age", "marital"]
