"""A bundle is text and JSON that gives back the very scores, and nothing that was tampered with is read."""

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.csv
import pytest

from leadlift.exceptions import BundleError, InputError
from leadlift.serving.bundle import FORMAT_VERSION, MANIFEST, ModelBundle
from leadlift.serving.bundle_place import exchange
from leadlift.serving.predict import score_table
from leadlift.serving.probe import check_probe
from services import require


@pytest.fixture
def copy(workspace, tmp_path):
    return Path(shutil.copytree(workspace.champion, tmp_path / "champion"))


@pytest.fixture
def retrained(bundle):
    """Another bundle: the same model with another provenance."""
    return replace(bundle, provenance=bundle.provenance | {"note": "again"})


def scored(bundle, workspace):
    return score_table(bundle, pyarrow.csv.read_csv(workspace.new_leads))


def edit_manifest(folder, **changes):
    path = folder / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def forge(folder, name, content):
    """Replace a file, its hash and the version, as an attacker would."""
    (folder / name).write_bytes(content)
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != MANIFEST}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    version = hashlib.sha256(json.dumps(digests, sort_keys=True).encode()).hexdigest()[:12]
    edit_manifest(folder, sha256=digests, version=version)


def listing(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_saved_and_read_again_it_scores_bit_for_bit_the_same(bundle, workspace, tmp_path):
    saved = bundle.save(tmp_path / "again")
    assert saved.version == bundle.version
    again = ModelBundle.load(tmp_path / "again")
    assert scored(again, workspace).equals(scored(bundle, workspace))


def test_a_model_never_saved_scores_as_its_saved_self(tmp_path):
    from leadlift.learning.blending import BlendedLearner
    from leadlift.learning.candidates import BaggedTrees
    from leadlift.learning.scorer import LeadScorer

    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 3))
    X[::7, 1] = np.nan
    learner = BlendedLearner(BaggedTrees(max_rounds=30, n_jobs=1), n_folds=2)
    scorer = LeadScorer(learner=learner).fit(X, X[:, 0] + rng.normal(size=600) > 0)
    scorer.learner_.weight_ = 1 / 3
    from configs import make_config, make_schema
    from leadlift.serving.bundle import Reference
    from leadlift.terms import Kind

    schema = make_schema(make_config(), dict.fromkeys(["x0", "x1", "x2"], Kind.NUMERIC))
    bundle = ModelBundle.from_scorer(scorer, schema, Reference(0.5, {}, {}, ()), {})
    bundle.save(tmp_path / "model")
    again = ModelBundle.load(tmp_path / "model").scorer
    matrix = rng.normal(size=(200, 3)) * 3
    for before, after in zip(scorer.score_matrix(matrix), again.score_matrix(matrix), strict=True):
        assert before.tobytes() == after.tobytes()
    before, after = bundle.attributor.explain(matrix), ModelBundle.load(tmp_path / "model").attributor
    assert before.contributions.tobytes() == after.explain(matrix).contributions.tobytes()


def test_it_is_text_and_json_only(workspace):
    for path in workspace.champion.iterdir():
        text = path.read_bytes().decode("utf-8")
        assert path.suffix in {".json", ".txt", ".csv"}
        assert text.isprintable() or set(filter(lambda c: not c.isprintable(), text)) <= {"\n"}
        if path.suffix == ".json":
            json.loads(text)


def test_it_names_no_folder_of_the_machine_it_was_made_on(workspace):
    for path in workspace.champion.iterdir():
        assert str(workspace.folder) not in path.read_text()


def test_it_says_where_it_came_from(bundle, workspace):
    provenance = bundle.provenance
    assert provenance["data_sha256"] == hashlib.sha256(workspace.leads.read_bytes()).hexdigest()
    assert provenance["random_state"] == 0
    assert provenance["n_test"] == workspace.printed["n_test"]
    assert set(provenance["versions"]) >= {"lightgbm", "numpy", "scikit-learn"}
    first, last = provenance["as_of_range"]
    assert first < last


def test_one_flipped_byte_in_any_file_is_noticed(workspace, copy):
    for path in sorted(workspace.champion.iterdir()):
        if path.name == MANIFEST:
            continue
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        (copy / path.name).write_bytes(content)
        with pytest.raises(BundleError, match=rf"{path.name} was altered since .* train again"):
            ModelBundle.load(copy)
        shutil.copy(path, copy / path.name)
    assert ModelBundle.load(copy).version


def test_one_flipped_byte_anywhere_in_the_manifest_is_noticed(copy):
    path = copy / MANIFEST
    content = path.read_bytes()
    for place in range(0, len(content), 7):
        flipped = bytearray(content)
        flipped[place] ^= 1
        if flipped.strip() == content.strip() or flipped[place] in b"\t\n !":
            continue  # white space for white space says the same
        path.write_bytes(flipped)
        with pytest.raises(BundleError, match=r"bundle.json|newer|incomplete|altered"):
            ModelBundle.load(copy)


def test_a_missing_file_is_named(copy):
    (copy / "calibrator.json").unlink()
    with pytest.raises(BundleError, match=r"incomplete, calibrator.json cannot be read: No such file"):
        ModelBundle.load(copy)


def test_a_bundle_of_a_newer_version_asks_for_an_upgrade(copy):
    edit_manifest(copy, format_version=FORMAT_VERSION + 1)
    with pytest.raises(BundleError, match=r"made by a newer leadlift \(bundle format 2.*upgrade leadlift"):
        ModelBundle.load(copy)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.95])
def test_a_truncated_manifest(copy, share):
    content = (copy / MANIFEST).read_bytes()
    (copy / MANIFEST).write_bytes(content[: int(share * len(content))])
    with pytest.raises(BundleError, match=r"bundle.json cannot be read"):
        ModelBundle.load(copy)


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"format_version": "new", "sha256": {}}', '"x"', "\\xff", "null"]
)
def test_a_manifest_that_is_something_else(copy, text):
    (copy / MANIFEST).write_text(text)
    with pytest.raises(BundleError, match=r"bundle.json cannot be read"):
        ModelBundle.load(copy)


@pytest.mark.parametrize("manifest", [{"sha256": []}, {"sha256": "x"}, {"format_version": None}])
def test_a_manifest_with_something_else_in_it(copy, manifest):
    edit_manifest(copy, **manifest)
    with pytest.raises(BundleError, match=r"bundle.json cannot be read"):
        ModelBundle.load(copy)


@pytest.mark.parametrize("manifest", [{"sha256": {}}, {"version": "0" * 12}])
def test_a_manifest_whose_version_does_not_fit_its_list_of_files(copy, manifest):
    edit_manifest(copy, **manifest)
    with pytest.raises(BundleError, match=r"bundle.json was altered"):
        ModelBundle.load(copy)


@pytest.mark.parametrize("name", ["../secret.txt", "/etc/hostname", "..", "a\\b", ".hidden"])
def test_a_manifest_that_points_out_of_the_bundle_is_refused(copy, name):
    digests = json.loads((copy / MANIFEST).read_text())["sha256"]
    edit_manifest(copy, sha256=digests | {name: "0" * 64})
    with pytest.raises(BundleError, match=r"lists files outside the bundle; it was tampered with"):
        ModelBundle.load(copy)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("calibrator.json", '{"name": "os:system", "slope_": 1, "intercept_": 0}'),
        ("calibrator.json", '{"name": "sigmoid"}'),
        ("calibrator.json", "not JSON"),
        ("cutoffs.json", '{"mql": {"threshold": "high"}, "sql": null}'),
        ("schema.json", "[]"),
        ("encoder.json", '[{"name": "x", "kind": "code"}]'),
        ("reference.json", "{}"),
        ("logistic.json", "[]"),
    ],
)
def test_forged_content_with_matching_hashes_is_data_that_cannot_be_understood(copy, name, text):
    forge(copy, name, text.encode())
    with pytest.raises(BundleError, match=r"match their hashes but cannot be understood"):
        ModelBundle.load(copy)


@pytest.mark.parametrize(
    ("name", "text"), [("evidence.csv", "score,log_odds,won\n2,0,1\n"), ("evidence.json", "{}")]
)
def test_forged_evidence_cannot_be_understood_when_it_is_asked_for(copy, name, text):
    forge(copy, name, text.encode())
    loaded = ModelBundle.load(copy)
    with pytest.raises(BundleError, match=r"match their hashes but cannot be understood"):
        _ = loaded.scorer


def test_bytes_that_are_no_text_are_refused_even_with_a_matching_hash(copy):
    forge(copy, "trees_00.txt", b"\x80\x04\x95")  # how a pickle begins
    with pytest.raises(BundleError, match=r"cannot be understood"):
        ModelBundle.load(copy)


@pytest.mark.parametrize("path", ["nowhere", "."])
def test_a_folder_without_a_bundle_says_what_writes_one(tmp_path, path):
    with pytest.raises(BundleError, match=r"no model bundle: bundle.json is missing. `leadlift train`"):
        ModelBundle.load(tmp_path / path)


def test_a_file_in_place_of_a_bundle(tmp_path):
    (tmp_path / "model").write_text("x")
    with pytest.raises(BundleError, match=r"bundle.json cannot be read"):
        ModelBundle.load(tmp_path / "model")


def test_a_folder_that_is_no_bundle_is_never_written_over(bundle, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match=r"exists and is no bundle; name another folder"):
        bundle.save(tmp_path)
    assert listing(tmp_path) == {"thesis.txt": b"years of work"}


def test_an_older_bundle_is_replaced_as_a_whole(copy, retrained):
    (copy / "trees_99.txt").write_text("left over")
    saved = retrained.save(copy)
    assert ModelBundle.load(copy).provenance["note"] == "again"
    assert ModelBundle.load(copy).version == saved.version
    assert not (copy / "trees_99.txt").exists()
    assert [path.name for path in copy.parent.iterdir()] == ["champion"]


def test_the_name_of_a_bundle_that_is_replaced_always_has_one(copy, retrained, monkeypatch):
    """No rename takes it away: both folders change places in one step."""
    require(exchange(copy, copy), "the file system cannot exchange two names")
    monkeypatch.setattr(Path, "rename", lambda *_: pytest.fail("the name was free for a moment"))
    assert retrained.save(copy).version == ModelBundle.load(copy).version


@pytest.mark.parametrize("failing_call", [1, 2])
def test_a_save_that_fails_at_a_rename_leaves_the_old_bundle(copy, retrained, monkeypatch, failing_call):
    monkeypatch.setattr("leadlift.serving.bundle_place.exchange", lambda *_: False)
    before = listing(copy)
    rename, calls = Path.rename, []

    def fail_once(self, target):
        calls.append(target)
        if len(calls) == failing_call:
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_once)
    with pytest.raises(InputError, match=r"could not be written to .*: No space left on device"):
        retrained.save(copy)
    assert listing(copy) == before
    assert [path.name for path in copy.parent.iterdir()] == ["champion"]


def test_a_system_without_the_exchange_replaces_a_bundle_by_renames(copy, retrained, monkeypatch):
    monkeypatch.setattr("leadlift.serving.bundle_place.exchange", lambda *_: False)
    assert retrained.save(copy).version == ModelBundle.load(copy).version
    assert [path.name for path in copy.parent.iterdir()] == ["champion"]


def test_a_link_is_followed_once_and_never_written_through(copy, bundle, retrained, tmp_path, monkeypatch):
    """The link is moved while its files are read: they are all of the bundle it led to before."""
    retrained.save(tmp_path / "other")
    link, read_bytes = tmp_path / "link", Path.read_bytes
    link.symlink_to("champion")

    def move_the_link(path):
        link.unlink()
        link.symlink_to("other")
        monkeypatch.setattr(Path, "read_bytes", read_bytes)
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", move_the_link)
    assert ModelBundle.load(link).version == bundle.version
    assert ModelBundle.load(link).version == ModelBundle.load(tmp_path / "other").version
    with pytest.raises(InputError, match=r"link is a link to a bundle, which leadlift.Registry moves"):
        bundle.save(link)


def test_a_save_that_fails_at_a_file_leaves_the_old_bundle(copy, retrained, monkeypatch):
    before = listing(copy)
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(InputError, match=r"No space left on device"):
        retrained.save(copy)
    assert listing(copy) == before
    assert [path.name for path in copy.parent.iterdir()] == ["champion"]


def test_equal_content_has_an_equal_version_and_any_change_another(bundle, retrained, tmp_path):
    assert bundle.save(tmp_path / "a").version == bundle.save(tmp_path / "b").version
    assert listing(tmp_path / "a") == listing(tmp_path / "b")
    assert retrained.save(tmp_path / "c").version != bundle.version


def test_a_learner_that_is_no_blend_cannot_be_shipped(bundle):
    from leadlift.learning.scorer import LeadScorer

    scorer = LeadScorer()
    scorer.learner_ = bundle.scorer.learner_.trees_
    with pytest.raises(InputError, match=r"holds a BlendedLearner, got BaggedTrees"):
        ModelBundle.from_scorer(scorer, bundle.schema, bundle.reference, {})


def test_texts_that_no_bundle_writes_are_refused(copy):
    forge(copy, "texts.json", b'{"language": "en", "overrides": {"times": {"many": "{count.__class__}"}}}')
    with pytest.raises(BundleError, match=r"cannot be understood: texts: times.many cannot fill"):
        ModelBundle.load(copy)


def test_a_bundle_without_texts_speaks_english(copy):
    manifest = json.loads((copy / MANIFEST).read_text())
    files = {name: digest for name, digest in manifest["sha256"].items() if name != "texts.json"}
    version = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:12]
    edit_manifest(copy, sha256=files, version=version)
    assert ModelBundle.load(copy).texts.language == "en"


def test_it_holds_rows_with_the_scores_they_must_get(bundle, copy):
    assert check_probe(bundle.model, bundle.probe) == ""
    assert check_probe(bundle.using("plain").model, bundle.probe) == ""
    manifest = json.loads((copy / MANIFEST).read_text())
    files = {name: digest for name, digest in manifest["sha256"].items() if name != "probe.json"}
    version = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:12]
    edit_manifest(copy, sha256=files, version=version)
    of_before = ModelBundle.load(copy)
    assert of_before.probe is None
    of_before.save(copy)
    assert ModelBundle.load(copy).probe == bundle.probe
