"""What a contact log says about the leads that are learnt from and about the others (LL280 to LL287)."""

from __future__ import annotations

from dataclasses import dataclass

from leadlift.learning.propensity import MAX_INVERSE
from leadlift.terms import Finding, Severity

# Some of those chosen are always gone before sales calls, and some wins come by themselves.
TOLERATED_SHARE = 0.05


@dataclass(frozen=True)
class ContactCounts:
    """Rows of the learning problem by what became of their leads.

    Parameters
    ----------
    n_rows : int
        All rows with an outcome in the CRM.
    n_worked : int
        Chosen and contacted: their outcome is one.
    n_effective : float
        Rows of equal weight that say as much as those kept.
    n_left_out : int
        Not worked: their outcome is unknown.
    n_without_support : int
        Left out, and without any chance to be contacted.
    n_clipped : int
        Kept, with a weight that is held at :data:`MAX_INVERSE`.
    n_untold : int
        Worked, and nobody says how likely that was.
    n_on_other_grounds : int
        Contacted in time, though not chosen by the scores up to their moment.
    n_chosen, n_chosen_not_contacted : int
        Chosen by the scores, and those of them that were not contacted in time.
    n_before_log : int
        Kept as they are, since the log begins after them.
    n_won_without_contact : int
        Left out as never contacted, and won.
    """

    n_rows: int
    n_worked: int
    n_effective: float
    n_left_out: int
    n_without_support: int = 0
    n_clipped: int = 0
    n_untold: int = 0
    n_on_other_grounds: int = 0
    n_chosen: int = 0
    n_chosen_not_contacted: int = 0
    n_before_log: int = 0
    n_won_without_contact: int = 0

    def findings(self) -> tuple[Finding, ...]:
        """Return what is worth saying."""
        every = (
            (self.n_left_out, self._not_worked),
            (self.n_without_support, self._no_support),
            (self.n_clipped, self._clipped),
            (self.n_untold, self._untold),
            (self.n_on_other_grounds, self._on_other_grounds),
            (self._is_much(self.n_chosen_not_contacted, self.n_chosen), self._not_contacted),
            (self.n_before_log, self._before_log),
            (self._is_much(self.n_won_without_contact, self.n_worked), self._won_without_contact),
        )
        return tuple(finding() for count, finding in every if count)

    @staticmethod
    def _is_much(n: int, of: int) -> bool:
        return n > TOLERATED_SHARE * of

    def _not_worked(self) -> Finding:
        return Finding(
            "LL280",
            Severity.INFO,
            "leads that were not worked",
            f"{self.n_left_out:,} of {self.n_rows:,} rows are left out: nobody worked their lead, so its "
            f"outcome is unknown, not lost. The {self.n_rows - self.n_left_out:,} kept are weighted by the "
            f"inverse chance of contact and say as much as {self.n_effective:,.0f} of equal weight",
            count=self.n_left_out,
        )

    def _no_support(self) -> Finding:
        share = self.n_without_support / self.n_rows
        return Finding(
            "LL281",
            Severity.WARNING,
            "nothing can be learnt below the lines",
            f"{self.n_without_support:,} of {self.n_rows:,} rows ({share:.0%}) are of leads that had no "
            f"chance to be contacted. No weight makes up for that: what the model says of leads like them is "
            f"a guess from the others, and it never learns that they have become better",
            "Set [stages] explore_share, contact the leads it marks, and train again when they have outcomes",
            count=self.n_without_support,
        )

    def _clipped(self) -> Finding:
        return Finding(
            "LL282",
            Severity.WARNING,
            "weights clipped",
            f"{self.n_clipped:,} worked rows had a chance of contact below {1 / MAX_INVERSE:g} and are held "
            f"at a weight of {MAX_INVERSE:g}, so that leads like them count for too little",
            f"Use an explore_share of at least {1 / MAX_INVERSE:g}",
            count=self.n_clipped,
        )

    def _untold(self) -> Finding:
        return Finding(
            "LL283",
            Severity.WARNING,
            "chance of contact unknown",
            f"Of {self.n_untold:,} of {self.n_worked:,} worked rows neither log nor scores say how likely a "
            f"contact was; it is taken as certain",
            "Name the store of scored batches in [data] scores, or add contact_probability to the log",
            count=self.n_untold,
        )

    def _on_other_grounds(self) -> Finding:
        return Finding(
            "LL284",
            Severity.WARNING,
            "leads contacted on other grounds",
            f"{self.n_on_other_grounds:,} rows are left out: their lead was contacted, but neither a line "
            f"nor the random slice had chosen it by then",
            "Nothing, if they rose above a line later; what sellers choose by themselves cannot be weighted",
            count=self.n_on_other_grounds,
        )

    def _not_contacted(self) -> Finding:
        n, of = self.n_chosen_not_contacted, self.n_chosen
        return Finding(
            "LL285",
            Severity.WARNING,
            "chosen leads not contacted",
            f"{n:,} of {of:,} rows whose lead was chosen ({n / of:.0%}) were not contacted in time. The "
            f"weights take those contacted for a fair sample of those chosen",
            "Find out who is passed over; if sales picks the better ones, the scores will be too high",
            count=n,
        )

    def _before_log(self) -> Finding:
        return Finding(
            "LL286",
            Severity.INFO,
            "leads from before the contact log",
            f"{self.n_before_log:,} of {self.n_rows:,} rows come before the first contact in the log and are "
            f"taken as worked",
            "If leads were passed over at that time too, leave those rows out of the leads",
            count=self.n_before_log,
        )

    def _won_without_contact(self) -> Finding:
        return Finding(
            "LL287",
            Severity.WARNING,
            "wins without a contact",
            f"{self.n_won_without_contact:,} rows are of leads that were won though the log holds no contact "
            f"in time; they are left out like the others",
            "Complete the contact log; where leads buy without being worked, log all leads as contacted",
            count=self.n_won_without_contact,
        )
