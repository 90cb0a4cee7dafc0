"""The worked example's books, and what its calls do with them. Usage: water_company_test.py SOURCES"""

import pathlib
import sys
import tempfile
import threading
import unittest

SOURCES = pathlib.Path(sys.argv.pop(1)).resolve()
sys.path.insert(0, str(SOURCES / "adapters/remote/example"))

import sqlite3  # noqa: E402

from books import Books, Payment, count_effects  # noqa: E402
from stubs import adapter  # noqa: E402
from water_company import WaterCompany  # noqa: E402

CUSTOMER = "100000001"


class Call:
    """What gRPC tells a call about itself."""

    def __init__(self, active=True):
        self.active = active

    def is_active(self):
        return self.active

    def time_remaining(self):
        return 1.0


def request(payment_id="7", amount_fen=900_000):
    return adapter.PaymentRequest(
        payment_id=payment_id, station_id="390001000017", customer_number=CUSTOMER, amount_fen=amount_fen
    )


class Example(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="waystation-water-")
        self.addCleanup(folder.cleanup)
        self.path = f"{folder.name}/books.db"
        self.company = WaterCompany(Books(self.path), threading.Event())

    def pay(self, payment_id="7", call=None):
        return self.company.Pay(request(payment_id), call or Call())

    def query(self, payment_id="7"):
        return self.company.Query(request(payment_id), Call()).WhichOneof("outcome")

    def test_what_was_denied_is_refused_when_it_comes(self):
        self.assertEqual(self.query(), "never_received")
        self.assertEqual(self.pay().declined.biller_code, "61")
        self.assertEqual(self.query(), "never_received")
        self.assertEqual(self.company.Cancel(request(), Call()).declined.biller_code, "25")
        self.assertEqual(self.company.Reverse(request(), Call()).WhichOneof("outcome"), "taken_back")
        self.assertEqual(count_effects(self.path, "7"), 0)

    def test_one_id_has_one_effect(self):
        first = self.pay()
        self.assertEqual(self.pay(), first)
        self.assertEqual(self.query(), "approved")
        self.assertEqual(count_effects(self.path, "7"), 1)
        self.assertEqual(self.company.books.late_approvals(), [])

    def test_an_approval_whose_call_has_ended_is_told(self):
        self.pay(call=Call(active=False))
        self.assertEqual([payment.payment_id for payment in self.company.books.late_approvals()], ["7"])

    def test_each_late_approval_has_its_turn(self):
        ids = {str(number) for number in range(1, 131)}
        for payment_id in ids:
            self.pay(payment_id)
            self.company.books.tell_late(payment_id)
        watch = self.company.WatchLateApprovals(adapter.WatchLateApprovalsRequest(), Call())
        self.assertEqual({next(watch).payment_id for _ in ids}, ids)
        for payment_id in ids - {"42"}:
            self.company.AcknowledgeLateApproval(adapter.AcknowledgeLateApprovalRequest(payment_id=payment_id), Call())
        self.assertEqual(next(watch).payment_id, "42")

    def test_counting_effects_makes_no_books(self):
        with self.assertRaises(sqlite3.OperationalError):
            count_effects(self.path + "-none", "7")
        self.assertFalse(pathlib.Path(self.path + "-none").exists())

    def test_the_books_wait_for_the_disk(self):
        # 3 is EXTRA.
        self.assertEqual(Books(self.path)._db.execute("PRAGMA synchronous").fetchone(), (3,))  # noqa: SLF001

    def test_another_content_is_not_answered(self):
        self.pay()
        other = Payment("7", "390001000017", CUSTOMER, 1, "paid")
        self.assertIsNone(self.company.books.pay(other, in_time=lambda: True))


if __name__ == "__main__":
    unittest.main()
