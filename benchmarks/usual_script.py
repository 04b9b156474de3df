"""How leads are scored every night in many places; measured beside `leadlift predict`.

Usage: usual_script.py model.joblib new_leads.csv scored.csv
"""

import sys

import joblib
import pandas as pd

model = joblib.load(sys.argv[1])
leads = pd.read_csv(sys.argv[2])
features = leads[model.feature_name_].copy()
for name in features.select_dtypes(exclude="number").columns:
    features[name] = features[name].astype("category")
leads["score"] = model.predict_proba(features)[:, 1]
leads["mql"] = leads["score"] >= 0.5
leads[["lead_id", "score", "mql"]].to_csv(sys.argv[3], index=False)
