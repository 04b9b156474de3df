"""Salesforce: custom fields of Lead or Contact, updated by Id with Data Loader or Bulk API 2.0.

Sources: "Prepare CSV Files" of the Bulk API 2.0 guide (headers are API names; empty values are ignored) and
"Format the 'Date' and 'Date Time' data in a CSV file". A field of type Text holds 255 characters.
"""

from leadlift.serving.profiles.base import Key, Moment, Points, Profile, Text, TrendWord
from leadlift.terms import GRADE, LEAD_ID, REASONS, STAGE

MAX_TEXT_LENGTH = 255

SALESFORCE = Profile(
    "salesforce",
    {
        "Id": Key(LEAD_ID),
        "Leadlift_Score__c": Points(),
        "Leadlift_Grade__c": Text(GRADE),
        "Leadlift_Stage__c": Text(STAGE),
        "Leadlift_Trend__c": TrendWord(),
        **{
            f"Leadlift_Reason_{i}__c": Text(reason, MAX_TEXT_LENGTH)
            for i, reason in enumerate(REASONS, start=1)
        },
        "Leadlift_Scored_At__c": Moment("%Y-%m-%dT%H:%M:%S.000Z"),
    },
)
