#!/usr/bin/env python3
"""Walks through the main job at a running switch, in front of a reader, and checks every step.

Each command is shown as one would type it, with what it prints. What it did is then checked by exit status and by
reading the payment or the account back as JSON. The first step that did not do what it says ends the walk with exit 1.
May be repeated on the same data folder.

The steps are the same whatever the billers are. With --billersim they are reached over the wire: then there is a water
company too, and at the end the files that the billers send for the day are held against the payments.
"""

import argparse
import datetime
import json
import os
import re
import shlex
import subprocess
import sys
import time

SHOP = "390001000017"
NEW_SHOP = "390001000025"
OFFICE = "390000000001"
OPERATOR = "3900010001"
CLERK = "3900000007"
SECOND_CLERK = "3900000008"
MOBILE_NUMBER = "13900010012"
METER_NUMBER = "3300112233"
# The company denies what this one pays, and approves it all the same, seconds after the deadline.
LATE_METER_NUMBER = "3300112289"
# What this one pays is done, and the answer lost.
LOST_ANSWER_NUMBER = "13900010092"
GAS_NUMBER = "20260017"
WATER_NUMBER = "100000012"
WATER_LEAST_FEN = 100
CHINA = datetime.timezone(datetime.timedelta(hours=8))
# The walk pays in this much whenever the account has less.
FLOAT_FEN = 50_000
# A longer command is shown on several lines.
MOST_COLUMNS = 100


class StepFailed(Exception):
    """A step did something else than it says."""


def yuan(fen):
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02}"


def check(what, found, expected):
    if found != expected:
        raise StepFailed(f"{what}: found {found!r}, expected {expected!r}")


def typed(arguments):
    """The command as one would type it, an option a line where one line is too long; can be pasted."""
    words = ["switchctl", *arguments]
    line = "$ " + shlex.join(words)
    if len(line) <= MOST_COLUMNS:
        return line
    lines = [[]]
    for word in words:
        joined = shlex.join([*lines[-1], word])
        if word.startswith("--") and len(joined) > MOST_COLUMNS // 2:
            lines.append([])
        lines[-1].append(word)
    return "$ " + " \\\n      ".join(shlex.join(words) for words in lines)


class Billersim:
    """The program that plays billers, and its configuration: it writes the files that they send for a day."""

    def __init__(self, program, config):
        self.program = program
        self.config = config
        self.first_day = self._today()

    def statement(self, host):
        """Shows the file of `host`, of two days where midnight lies in the walk; returns its text."""
        encoding = "GBK" if host == "gas" else "UTF-8"
        whole = ""
        for day in sorted({self.first_day, self._today()}):
            arguments = ["--config", self.config, "statement", "--host", host, "--date", day]
            convert = "" if encoding == "UTF-8" else f" | iconv -f {encoding}"
            print("$ " + shlex.join(["billersim", *arguments]) + convert, flush=True)
            result = subprocess.run([self.program, *arguments], capture_output=True, check=False, timeout=60)
            text = result.stdout.decode(encoding)
            print(text + result.stderr.decode(), end="", flush=True)
            check("exit status", result.returncode, 0)
            whole += text
        return whole

    def _today(self):
        return datetime.datetime.now(CHINA).date().isoformat()


class Walk:
    """Runs switchctl, aloud or silently. `run_id` makes the request ids of this walk its own."""

    def __init__(self, switchctl, address):
        self.switchctl = switchctl
        self.environment = dict(os.environ, WAYSTATION_ADDRESS=address)
        self.run_id = f"{int(time.time() * 1000):x}"
        self.step_name = ""
        self.steps = 0

    def step(self, name):
        self.step_name = name
        self.steps += 1
        print(f"\n--- {self.steps}. {name}", flush=True)

    def run(self, arguments):
        return subprocess.run(
            [self.switchctl, *arguments], env=self.environment, text=True, capture_output=True, check=False, timeout=60
        )

    def show(self, *arguments, status=0):
        """Runs a command in front of the reader; any other exit status than `status` fails the step."""
        print(typed(arguments), flush=True)
        result = self.run(arguments)
        print(result.stdout + result.stderr, end="", flush=True)
        check("exit status", result.returncode, status)
        return result.stdout

    def read(self, *arguments):
        """Runs a command silently and returns what it says as JSON."""
        result = self.run(["--json", *arguments])
        if result.returncode != 0:
            raise StepFailed(f"switchctl --json {shlex.join(arguments)}: exit {result.returncode}: {result.stderr}")
        return json.loads(result.stdout)

    def account(self):
        account = self.read("account", "show", SHOP)
        return {name: int(account[name + "Fen"]) for name in ("balance", "available", "reserved", "forwarded")}

    def payment(self, request_id):
        return self.read("payment", "show", "--station", SHOP, "--request-id", request_id)

    def pay(self, biller, customer, fen, *more, status=0):
        """Pays aloud; returns the payment as the switch has it."""
        request_id = f"walk-{self.run_id}-{self.steps}"
        self.show(
            "pay", "--station", SHOP, "--operator", OPERATOR, "--biller", biller, "--customer", customer,
            "--amount", yuan(fen), "--request-id", request_id, *more, status=status,
        )  # fmt: skip
        payment = self.payment(request_id)
        check("amount of the payment", int(payment["amountFen"]), fen)
        return payment

    def inquire(self, biller, customer):
        """Inquires aloud and once more silently; returns the answer with the token that was shown."""
        arguments = ["inquire", "--station", SHOP, "--operator", OPERATOR, "--biller", biller, "--customer", customer]
        shown = re.search(r"^token +(\S+)$", self.show(*arguments), re.MULTILINE)
        check("the inquiry shows a token", shown is not None, True)
        return {**self.read(*arguments)["answer"], "inquiryToken": shown.group(1)}


def prepare(walk):
    walk.step("Two shops join: registered, approved, active. One account is filled at the post office.")
    for station, name in ((SHOP, "Liuhe village grocery"), (NEW_SHOP, "East bridge kiosk")):
        walk.show("station", "register", station, "--name", name, "--signed-by", OFFICE, "--activate")
        check(f"status of {station}", walk.read("account", "show", station)["status"], "STATION_STATUS_ACTIVE")

    before = walk.account()
    if before["available"] >= FLOAT_FEN:
        print(f"{SHOP} still has {yuan(before['available'])} yuan of an earlier walk; nothing is paid in this time.")
        return before
    receipt = f"receipt-{walk.run_id}"
    walk.show("counter-purchase", SHOP, yuan(FLOAT_FEN), "--receipt", receipt, "--clerk", CLERK)
    after = walk.account()
    check("balance after the counter purchase", after["balance"], before["balance"] + FLOAT_FEN)
    return after


def pay_mobile(walk):
    walk.step("A mobile top-up: the biller is asked whether the number can be topped up, then paid.")
    walk.inquire("mobile", MOBILE_NUMBER)
    payment = walk.pay("mobile", MOBILE_NUMBER, 5_000)
    check("state", payment["state"], "PAYMENT_STATE_SUCCEEDED")
    check("a biller reference was given", bool(payment["billerReference"]), True)
    return payment


def pay_electricity(walk):
    walk.step("A prepaid electricity meter: the power company issues 20 digits to type into the meter.")
    payment = walk.pay("electricity", METER_NUMBER, 10_000)
    check("state", payment["state"], "PAYMENT_STATE_SUCCEEDED")
    voucher = payment["voucher"]
    check(f"voucher {voucher!r} is 20 digits", len(voucher) == 20 and voucher.isdigit(), True)
    return payment


def pay_gas(walk):
    walk.step("A gas bill: the inquiry says what is owed and gives a token; paid is exactly that amount.")
    answer = walk.inquire("gas", GAS_NUMBER)
    owed = int(answer["owedFen"])
    check("something is owed", owed > 0, True)
    payment = walk.pay("gas", GAS_NUMBER, owed, "--token", answer["inquiryToken"])
    check("state", payment["state"], "PAYMENT_STATE_SUCCEEDED")
    return payment


def pay_water(walk):
    walk.step("A water bill, through an adapter in Python: a process of its own. A part of a bill is not taken.")
    answer = walk.inquire("water", WATER_NUMBER)
    # This company remembers what was paid by an earlier walk; then some is paid in advance.
    amount = max(int(answer["owedFen"]), WATER_LEAST_FEN)
    payment = walk.pay("water", WATER_NUMBER, amount, "--token", answer["inquiryToken"])
    check("state", payment["state"], "PAYMENT_STATE_SUCCEEDED")
    return payment


def lose_answer(walk):
    walk.step("A top-up whose answer is lost: unknown, the money forwarded, until the carrier is asked a second later.")
    payment = walk.pay("mobile", LOST_ANSWER_NUMBER, 2_000, "--wait", "0", status=4)
    held = payment["history"][0]["sequence"]
    walk.show("payment", "watch", "--station", SHOP, "--after", held, "--count", "2", "--timeout", "30")
    payment = walk.payment(payment["requestId"])
    states = [entry["state"] for entry in payment["history"]]
    check("its states", states, [f"PAYMENT_STATE_{name}" for name in ("HELD", "UNKNOWN", "SUCCEEDED")])
    return payment


def print_receipt(walk, payment):
    walk.step("The counter prints the receipt of the electricity payment again, with the meter's digits.")
    text = walk.show("payment", "receipt", payment["paymentId"])
    for what in ("paymentId", "stationId", "operatorId", "customerNumber", "billerReference"):
        check(f"the receipt has {what} {payment[what]}", payment[what] in text, True)
    check("the receipt has the amount", yuan(int(payment["amountFen"])) in text, True)
    digits = text.replace(" ", "").replace("-", "")
    check("the receipt has the voucher", payment["voucher"] in digits, True)


def cancel(walk, payment):
    walk.step("The mobile top-up was a mistake: cancelled on the same day, and the money is back.")
    before = walk.account()
    walk.show("payment", "cancel", "--station", SHOP, "--operator", OPERATOR, payment["paymentId"])
    now = walk.payment(payment["requestId"])
    check("state", now["state"], "PAYMENT_STATE_CANCELLED")
    check("balance after the cancel", walk.account()["balance"], before["balance"] + int(payment["amountFen"]))


def decline(walk):
    before = walk.account()
    amount = before["available"] + 2_000
    walk.step(f"A payment of {yuan(amount)} yuan, more than the account has: declined, and nothing is taken.")
    payment = walk.pay("electricity", METER_NUMBER, amount, status=3)
    check("state", payment["state"], "PAYMENT_STATE_DECLINED")
    check("reason", payment["decline"]["reason"], "DECLINE_REASON_INSUFFICIENT_AVAILABLE_BALANCE")
    check("account after the decline", walk.account(), before)


def settle_exception(walk, changes):
    """`changes`: how often the payment's state changes from the hold to the approval that comes last."""
    walk.step("The power company denies a payment, then approves it after all: two people settle that.")
    payment = walk.pay("electricity", LATE_METER_NUMBER, 1_000, "--wait", "0", status=4)
    held = payment["history"][0]["sequence"]
    walk.show("payment", "watch", "--station", SHOP, "--after", held, "--count", changes, "--timeout", "30")
    review = walk.payment(payment["requestId"])
    check("state", review["state"], "PAYMENT_STATE_REVIEW")
    check("who acts next", review["owner"], "PAYMENT_OWNER_PERSON")
    check("what the record suggests", review["suggestedVerdict"], "VERDICT_CHARGE_STATION")

    before = walk.account()
    one = payment["paymentId"]
    charge = ("--verdict", "charge")
    walk.show("exceptions", "list", "--owner", "person")
    walk.show("exceptions", "resolve", one, *charge, "--by", CLERK, "--reason", "the power company has it in its file")
    proposed = ("--proposal", walk.payment(payment["requestId"])["resolution"]["proposal"])
    walk.show("exceptions", "confirm", one, *proposed, *charge, "--by", CLERK, status=3)
    check("account while it is only proposed", walk.account(), before)
    walk.show("exceptions", "confirm", one, *proposed, *charge, "--by", SECOND_CLERK)
    check("state", walk.payment(payment["requestId"])["state"], "PAYMENT_STATE_ADJUSTED")
    check("balance after the posting", walk.account()["balance"], before["balance"] - 1_000)
    return payment


def look_back(walk, opening, paid):
    captured = sum(int(payment["amountFen"]) for payment in paid.values())
    walk.step("The account afterwards: what was paid in, less what was captured; nothing is left held.")
    walk.show("account", "show", SHOP)
    balance = opening["balance"] - captured
    expected = {"balance": balance, "available": opening["available"] - captured, "reserved": 0, "forwarded": 0}
    check("the account", walk.account(), expected)
    print(f"checked: {yuan(opening['balance'])} - {yuan(captured)} ({', '.join(paid)}) = {yuan(balance)}")

    walk.step("Today's payments of the station, and the business day they belong to.")
    walk.show("payment", "list", "--station", SHOP)
    walk.show("day", "show")


def read_statements(walk, billersim, paid, taken_back):
    walk.step("What three billers send at the end of the day: what was paid is in it, what was cancelled is not.")
    for host in ("mobile", "electricity", "gas"):
        text = billersim.statement(host)
        for payment in paid:
            if payment["billerId"] == host:
                check(f"{payment['billerReference']} is in the file", payment["billerReference"] in text, True)
        if taken_back["billerId"] == host:
            check("the cancelled payment is in the file", taken_back["billerReference"] in text, False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--switchctl", required=True, help="the program")
    parser.add_argument("--address", required=True, help="host:port of the switch")
    parser.add_argument("--billersim", nargs=2, metavar=("PROGRAM", "CONFIG"), help="the billers are played by this")
    options = parser.parse_args()
    billersim = Billersim(*options.billersim) if options.billersim else None
    walk = Walk(options.switchctl, options.address)
    try:
        opening = prepare(walk)
        mobile = pay_mobile(walk)
        electricity = pay_electricity(walk)
        gas = pay_gas(walk)
        water = pay_water(walk) if billersim else None
        print_receipt(walk, electricity)
        cancel(walk, mobile)
        lost = lose_answer(walk)
        decline(walk)
        # Over the wire the denial is not final: the company is asked to reverse the payment, and refuses that.
        late = settle_exception(walk, "4" if billersim else "3")
        paid = {"electricity": electricity, "gas": gas, "a top-up": lost, "electricity by two people": late}
        if water:
            paid["water"] = water
        look_back(walk, opening, paid)
        if billersim:
            read_statements(walk, billersim, paid.values(), mobile)
    except (StepFailed, KeyError, json.JSONDecodeError, subprocess.TimeoutExpired) as error:
        print(f"\nFAILED at step {walk.steps} ({walk.step_name}): {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print(f"\nAll {walk.steps} steps did what they say.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\nInterrupted.")
