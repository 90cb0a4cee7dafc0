"""The water company's books, in an SQLite file: bills, payments, and what became of them.

An adapter for a company that has books of its own asks those instead. What must be kept in the process's own file is
only what the company's protocol cannot answer: here all of it, so that one payment id has one effect over restarts.
"""

import contextlib
import dataclasses
import pathlib
import sqlite3
import threading
import zlib

SCHEMA = """
CREATE TABLE IF NOT EXISTS payments (
    payment_id TEXT PRIMARY KEY,
    station_id TEXT NOT NULL,
    customer_number TEXT NOT NULL,
    amount_fen INTEGER NOT NULL,
    state TEXT NOT NULL,             -- paid, declined, taken back, denied (a query was answered "never received")
    reference TEXT NOT NULL,         -- ours, of a payment that was paid
    code TEXT NOT NULL,              -- why it was declined
    text TEXT NOT NULL,
    late INTEGER NOT NULL DEFAULT 0  -- 1: the switch did not hear of it in time and has not said that it knows now
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS late_payments ON payments (payment_id) WHERE late = 1;
"""
# A payment that stands there before it came: it is refused when it does, whatever its content.
BARRED = ("taken back", "denied")
LEAST_FEN = 100


@dataclasses.dataclass(frozen=True)
class Payment:
    payment_id: str
    station_id: str
    customer_number: str
    amount_fen: int
    state: str
    reference: str = ""
    code: str = ""
    text: str = ""
    late: int = 0

    def same_content(self, other):
        return (self.station_id, self.customer_number, self.amount_fen) == (
            other.station_id,
            other.customer_number,
            other.amount_fen,
        )


class Books:
    """Any thread; one at a time is let in. What a method changes is on the disk when it returns."""

    def __init__(self, path):
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # EXTRA: FULL does not wait until the folder knows that a transaction's journal is gone, and a journal that is
        # there again after a power loss takes the payment back that was answered.
        self._db.execute("PRAGMA synchronous = EXTRA")
        self._db.executescript(SCHEMA)

    def has_customer(self, customer_number):
        return not customer_number.endswith("90")

    def name(self, customer_number):
        """Masked."""
        return "王张李赵"[zlib.crc32(customer_number.encode()) % 4] + "**"

    def owed_fen(self, customer_number):
        with self._lock:
            return self._owed_fen(customer_number)

    def pay(self, payment, in_time):
        """The payment as it stands in the books now; None when it is there with another content.

        `payment` is as it would be entered if nothing spoke against it. `in_time` is asked last; when it says no, the
        payment is not entered, and TimeoutError is raised.
        """
        with self._lock:
            known = self._find(payment.payment_id)
            if known is not None:
                return known if known.state in BARRED or known.same_content(payment) else None
            decline = self._decline(payment)
            if decline is not None:
                payment = dataclasses.replace(payment, state="declined", code=decline[0], text=decline[1])
            else:
                payment = dataclasses.replace(payment, reference=f"W{int(payment.payment_id):020}")
            if not in_time():
                raise TimeoutError
            self._enter(payment)
            return payment

    def find(self, payment_id):
        """None when the books do not have it."""
        with self._lock:
            return self._find(payment_id)

    def find_or_deny(self, payment):
        """The payment; one that is not there is entered as denied, so that it is refused should it still come."""
        with self._lock:
            known = self._find(payment.payment_id)
            if known is None:
                known = dataclasses.replace(payment, state="denied")
                self._enter(known)
            return known

    def take_back(self, payment):
        """After this the payment has no effect, and will have none: one that is not there yet will be refused."""
        with self._lock:
            known = self._find(payment.payment_id)
            if known is None:
                self._enter(dataclasses.replace(payment, state="taken back"))
            elif known.state == "paid":
                self._db.execute(
                    "UPDATE payments SET state = 'taken back', late = 0 WHERE payment_id = ?", (payment.payment_id,)
                )

    def tell_late(self, payment_id):
        """The switch did not hear of this approval."""
        self._set_late(payment_id, 1)

    def acknowledge(self, payment_id):
        """The switch knows of it now."""
        self._set_late(payment_id, 0)

    def late_approvals(self, after=""):
        """The next 100 that the switch does not know of; `after`: the id that those before ended with."""
        with self._lock:
            rows = self._db.execute(
                "SELECT * FROM payments WHERE late = 1 AND payment_id > ? ORDER BY payment_id LIMIT 100", (after,)
            )
            return [Payment(*row) for row in rows]

    # --- with the lock held ---

    def _find(self, payment_id):
        row = self._db.execute("SELECT * FROM payments WHERE payment_id = ?", (payment_id,)).fetchone()
        return None if row is None else Payment(*row)

    def _enter(self, payment):
        # One statement is a transaction of its own.
        self._db.execute("INSERT INTO payments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", dataclasses.astuple(payment))

    def _owed_fen(self, customer_number):
        bill = 1_000 + zlib.crc32(customer_number.encode()) % 29_001
        (paid,) = self._db.execute(
            "SELECT coalesce(sum(amount_fen), 0) FROM payments WHERE customer_number = ? AND state = 'paid'",
            (customer_number,),
        ).fetchone()
        return max(0, bill - paid)

    def _decline(self, payment):
        """(code, text) of why it is not taken; None when it is."""
        if not self.has_customer(payment.customer_number):
            return "14", "no such customer"
        owed = self._owed_fen(payment.customer_number)
        if payment.amount_fen < max(owed, LEAST_FEN):
            return "13", f"less than is owed, {owed / 100:.2f} yuan"
        return None

    def _set_late(self, payment_id, late):
        with self._lock:
            self._db.execute(
                "UPDATE payments SET late = ? WHERE payment_id = ? AND state = 'paid'", (late, payment_id)
            )


def count_effects(path, payment_id):
    """How often the payment stands in the books of `path` and was not taken back. Makes and changes nothing."""
    uri = f"{pathlib.Path(path).resolve().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as db:
        query = "SELECT count(*) FROM payments WHERE payment_id = ? AND state = 'paid'"
        (count,) = db.execute(query, (payment_id,)).fetchone()
    return count
