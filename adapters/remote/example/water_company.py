#!/usr/bin/python3
"""An adapter in a process of its own: a water company for Waystation. README.md beside this file says more."""

import argparse
import concurrent.futures
import signal
import sqlite3
import sys
import threading

import grpc
from books import BARRED, LEAST_FEN, Books, Payment, count_effects
from stubs import adapter, adapter_grpc, health, health_grpc

SERVICE = "waystation.adapter.v1.BillerAdapter"
# What the company promises in writing. The switch has the same in its card file.
CARD = adapter.CapabilityCard(
    service="water",
    inquiry=adapter.INQUIRY_RULE_REQUIRED,
    amount_rule=adapter.AMOUNT_RULE_AT_LEAST_OWED,
    least_fen=LEAST_FEN,
    most_fen=1_000_000,
    step_fen=1,
    customer_number_pattern="^[0-9]{9}$",
    customer_number_hint="a water customer number: 9 digits",
    cancel=adapter.CANCEL_RULE_SAME_DAY,
    can_query=True,
    can_reverse=True,
    # A request is not entered after its deadline, nor after a query that was answered "never received".
    query_denial_is_final=True,
    settling_time_ms=1_000,
    issues_voucher=False,
    time_limit_ms=5_000,
    max_in_flight=32,
    max_waiting=100,
)
# Each call has one while it runs, a stream for as long as it is open.
THREADS = 64
# An approval that is not acknowledged is told again after this time, and a new one within it.
TELL_AGAIN_S = 1.0


class WaterCompany(adapter_grpc.BillerAdapterServicer):
    def __init__(self, books, stopping):
        self.books = books
        # Set when the process is to end.
        self.stopping = stopping

    def Describe(self, request, context):
        return CARD

    def Inquire(self, request, context):
        if not self.books.has_customer(request.customer_number):
            return adapter.InquireResponse(declined=adapter.Declined(biller_code="14", text="no such customer"))
        return adapter.InquireResponse(
            found=adapter.InquiryFound(
                customer_name=self.books.name(request.customer_number),
                owed_fen=self.books.owed_fen(request.customer_number),
            )
        )

    def Pay(self, request, context):
        try:
            # Only what is in the books is answered, and what was entered is entered for good.
            paid = self.books.pay(entry_of(request), in_time=lambda: context.time_remaining() > 0)
        except TimeoutError:
            return adapter.PayResponse(unknown=adapter.Unknown(cause="the deadline passed in the adapter"))
        if paid is None:
            return adapter.PayResponse(unknown=adapter.Unknown(cause="this payment id has another content here"))
        if paid.state != "paid":
            return adapter.PayResponse(declined=decline_of(paid))
        if not context.is_active():
            # Entered in time, and too late for this answer: the switch hears of it the other way.
            self.books.tell_late(paid.payment_id)
        return adapter.PayResponse(approved=self.approval(paid))

    def Query(self, request, context):
        found = self.books.find_or_deny(entry_of(request))
        if found.state == "denied":
            return adapter.QueryResponse(never_received=adapter.NeverReceived())
        if found.state == "paid":
            return adapter.QueryResponse(approved=self.approval(found))
        return adapter.QueryResponse(declined=decline_of(found))

    def Reverse(self, request, context):
        self.books.take_back(entry_of(request))
        return adapter.ReverseResponse(taken_back=adapter.TakenBack())

    def Cancel(self, request, context):
        found = self.books.find(request.payment_id)
        if found is None or found.state == "denied":
            return adapter.CancelResponse(declined=adapter.Declined(biller_code="25", text="no such payment"))
        self.books.take_back(entry_of(request))
        return adapter.CancelResponse(taken_back=adapter.TakenBack())

    def Probe(self, request, context):
        # The books are in this process, so they answer when it does.
        return adapter.ProbeResponse()

    def WatchLateApprovals(self, request, context):
        after = ""
        while context.is_active() and not self.stopping.is_set():
            page = self.books.late_approvals(after)
            for payment in page:
                yield adapter.LateApproval(
                    payment_id=payment.payment_id, station_id=payment.station_id, approved=self.approval(payment)
                )
            # All of them in turn, and after a while all again that were not acknowledged.
            after = page[-1].payment_id if page else ""
            if not page:
                self.stopping.wait(TELL_AGAIN_S)

    def AcknowledgeLateApproval(self, request, context):
        self.books.acknowledge(request.payment_id)
        return adapter.AcknowledgeLateApprovalResponse()

    def approval(self, payment):
        return adapter.Approved(
            biller_reference=payment.reference, customer_name=self.books.name(payment.customer_number)
        )


def entry_of(request):
    return Payment(request.payment_id, request.station_id, request.customer_number, request.amount_fen, "paid")


def decline_of(payment):
    if payment.state in BARRED:
        return adapter.Declined(biller_code="61", text="taken back")
    return adapter.Declined(biller_code=payment.code, text=payment.text)


class Health(health_grpc.HealthServicer):
    """SERVING until the process is to end. What the switch watches to know whether it may send anything."""

    def __init__(self, stopping):
        self._stopping = stopping

    def Check(self, request, context):
        if request.service not in ("", SERVICE):
            context.abort(grpc.StatusCode.NOT_FOUND, f'no service "{request.service}"; expected "{SERVICE}"')
        return self._response()

    def Watch(self, request, context):
        if request.service not in ("", SERVICE):
            yield health.HealthCheckResponse(status=health.HealthCheckResponse.SERVICE_UNKNOWN)
            return
        yield self._response()
        while context.is_active() and not self._stopping.wait(0.5):
            pass
        yield self._response()

    def _response(self):
        stopping = self._stopping.is_set()
        return health.HealthCheckResponse(
            status=health.HealthCheckResponse.NOT_SERVING if stopping else health.HealthCheckResponse.SERVING
        )


def credentials(options):
    """None for plain text. With a client CA, only clients that have a certificate of it are let in."""
    if not options.tls_certificate:
        return None

    def read(path):
        with open(path, "rb") as file:
            return file.read()

    client_ca = read(options.tls_client_ca) if options.tls_client_ca else None
    return grpc.ssl_server_credentials(
        [(read(options.tls_key), read(options.tls_certificate))], client_ca, client_ca is not None
    )


def serve(options):
    stopping = threading.Event()
    company = WaterCompany
    if options.faults:
        from faults import FaultyWaterCompany as company  # noqa: PLC0415: not part of the example
    server = grpc.server(
        concurrent.futures.ThreadPoolExecutor(max_workers=THREADS),
        options=[
            # Two processes on one port would be two sets of books.
            ("grpc.so_reuseport", 0),
            # A switch may be configured to ping often; gRPC would close the connection for that.
            ("grpc.http2.min_ping_interval_without_data_ms", 500),
        ],
    )
    adapter_grpc.add_BillerAdapterServicer_to_server(company(Books(options.books), stopping), server)
    health_grpc.add_HealthServicer_to_server(Health(stopping), server)
    tls = credentials(options)
    port = server.add_secure_port(options.listen, tls) if tls else server.add_insecure_port(options.listen)
    if port == 0:
        sys.exit(f"water_company.py: --listen: {options.listen} can't be listened on; is another process there?")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    server.start()
    print(f"listening on {options.listen.rpartition(':')[0]}:{port}", flush=True)
    stopping.wait()
    # What is in progress is answered; nothing new is taken.
    server.stop(grace=CARD.time_limit_ms / 1_000).wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--books", required=True, help="the SQLite file; made when missing")
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser("serve", help="serves until SIGTERM or SIGINT")
    serving.add_argument("--listen", default="127.0.0.1:7501", help="host:port; port 0 takes a free one")
    serving.add_argument("--tls-certificate", help="PEM file; without it: plain text, for loopback alone")
    serving.add_argument("--tls-key", help="PEM file")
    serving.add_argument("--tls-client-ca", help="PEM file: clients need a certificate of this CA")
    serving.add_argument("--faults", action="store_true", help="play the faults of faults.py, for tests")
    effects = commands.add_parser("effects", help="prints how often a payment stands in the books")
    effects.add_argument("payment_id")
    options = parser.parse_args()
    if options.command == "serve":
        serve(options)
        return
    try:
        print(count_effects(options.books, options.payment_id))
    except sqlite3.Error as error:
        sys.exit(f"water_company.py: --books: {options.books} can't be read: {error}; expected the file of `serve`")


if __name__ == "__main__":
    main()
