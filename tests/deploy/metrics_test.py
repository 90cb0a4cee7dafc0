"""A running switchd exports what the dashboard and the alert rules ask for, and deploy/METRICS.md lists all of it.

Starts a switch of its own with some traffic behind it, reads its metrics, and holds three files against them:
METRICS.md (both ways), the dashboard, and the rules. With --write it makes the table of METRICS.md anew instead.
"""

import argparse
import collections
import dataclasses
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

import yaml

STATION, OPERATOR, CLERK = "390001000017", "3900010001", "3900000007"
# What becomes of a payment, by the customer's last digits (adapters/sandbox/README.md): approved, declined, unknown for
# good, which REVIEW comes of soon.
CUSTOMERS = {"13900010000": 0, "13900010090": 3, "13900010094": 4}
CONFIGURATION = """
listen: {{address: "127.0.0.1:0"}}
metrics: {{address: "127.0.0.1:0"}}
storage: {{data_dir: "{folder}/data", low_disk_mb: 16, ballast_mb: 1}}
resolver: {{first_query_after_ms: 10, longest_interval_ms: 10, review_after_ms: 100}}
log: {{level: warn}}
billers:
  - {{id: mobile, name: Mobile top-up (sandbox), adapter: sandbox, settings: {{profile: mobile}}}}
"""
TABLE_BEGINS = "| metric | kind | labels | what it is |\n| --- | --- | --- | --- |\n"
# Prometheus adds these to every series that it scrapes.
TARGET_LABELS = {"job", "instance"}
# switch/README.md: whose outcome is being found out or decided.
OPEN_STATES = {"UNKNOWN", "REVERSING", "CANCELLING", "REVIEW"}
OF_OPEN_PAYMENTS = {"waystation_open_payments", "waystation_open_payments_oldest_seconds"}
REVIEW_WITHIN_SECONDS = 30
SELECTOR = re.compile(r"\b((?:waystation|process|exposer)_\w+|up)\b(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')

options = argparse.Namespace()


@dataclasses.dataclass
class Metric:
    kind: str = ""
    text: str = ""
    # Label name → the values seen.
    labels: dict = dataclasses.field(default_factory=lambda: collections.defaultdict(set))
    # (the series' labels, its value)
    samples: list = dataclasses.field(default_factory=list)

    def total(self, **labels):
        """Of all series that have these."""
        return sum(value for of, value in self.samples if labels.items() <= of.items())

    def row(self, name):
        # That of a histogram's buckets is no label of its own.
        labels = ", ".join(f"`{label}`" for label in sorted(set(self.labels) - {"le", "quantile"}))
        return f"| `{name}` | {self.kind} | {labels} | {self.text} |"


def parse(text):
    """The metrics of an answer in Prometheus' text form, by name."""
    metrics = {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            _, _, name, help_text = line.split(" ", 3)
            metrics[name] = Metric(text=help_text)
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            metrics[name].kind = kind
        elif line:
            name, labels, value = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line).groups()
            metric = metrics[base_of(name, metrics)]
            series = {label: of for label, _, of in MATCHER.findall(labels or "")}
            metric.samples.append((series, float(value)))
            for label, of in series.items():
                metric.labels[label].add(of)
    return metrics


def base_of(name, metrics):
    """The metric that a series called `name` is of: a histogram has three kinds of them."""
    short = re.sub(r"_(bucket|sum|count)$", "", name)
    if name not in metrics and short in metrics and metrics[short].kind in ("histogram", "summary"):
        return short
    return name


class Switch:
    """A switchd of this build with a folder of its own."""

    def __init__(self, programs, folder):
        self.switchctl = programs / "switchctl"
        configuration = pathlib.Path(folder, "switchd.yaml")
        configuration.write_text(CONFIGURATION.format(folder=folder), encoding="utf-8")
        self.process = subprocess.Popen(
            [programs / "switchd", "--config", configuration], stdout=subprocess.PIPE, text=True
        )
        told = {}
        try:
            for line in self.process.stdout:
                what, _, where = line.strip().partition(" on ")
                told[what] = where
                if what == "listening":
                    break
            self.address, self.metrics_url = told["listening"], told["metrics"]
        except BaseException:
            self.kill()
            raise

    def run(self, *arguments, status=0):
        command = [self.switchctl, "--address", self.address, *arguments]
        result = subprocess.run(command, text=True, capture_output=True, check=False, timeout=60)
        assert result.returncode == status, f"{arguments}: {result.returncode}: {result.stdout}{result.stderr}"

    def work(self):
        """Payments that are approved, declined, and looked at by a person; a call that is refused."""
        self.run("station", "register", STATION, "--name", "Shop", "--activate")
        self.run("counter-purchase", STATION, "500", "--receipt", "R1", "--clerk", CLERK)
        who = ("--station", STATION, "--operator", OPERATOR, "--biller", "mobile")
        for customer, status in CUSTOMERS.items():
            self.run("pay", *who, "--customer", customer, "--amount", "50", status=status)
        self.run("account", "show", "390001000025", status=3)

    def scrape(self):
        with urllib.request.urlopen(self.metrics_url, timeout=30) as answer:
            return answer.read().decode()

    def kill(self):
        self.process.kill()
        self.process.communicate()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=60)
        assert self.process.returncode == 0, self.process.returncode


def read_metrics():
    with tempfile.TemporaryDirectory(prefix="metrics_test.") as folder:
        switch = Switch(options.programs, folder)
        try:
            switch.work()
            # What the endpoint counts of itself is there from the second time on.
            switch.scrape()
            given_up = time.monotonic() + REVIEW_WITHIN_SECONDS
            while True:
                metrics = parse(switch.scrape())
                if metrics["waystation_open_payments"].total(state="REVIEW") > 0:
                    break
                assert time.monotonic() < given_up, f"no payment in REVIEW after {REVIEW_WITHIN_SECONDS} s"
        except BaseException:
            switch.kill()
            raise
        switch.stop()
    return metrics


def table(metrics):
    return TABLE_BEGINS + "".join(metric.row(name) + "\n" for name, metric in sorted(metrics.items()))


class MetricsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.metrics = read_metrics()
        cls.deploy = options.root / "deploy"
        cls.dashboard = json.loads((cls.deploy / "dashboards/switchd.json").read_text(encoding="utf-8"))
        rules = yaml.safe_load((cls.deploy / "alerts/switchd.yaml").read_text(encoding="utf-8"))
        cls.alerts = [rule for group in rules["groups"] for rule in group["rules"]]

    def panels(self):
        return [panel for panel in self.dashboard["panels"] if panel["type"] != "row"]

    def expressions(self):
        """(where it stands, the expression) of the dashboard and of the rules."""
        for panel in self.panels():
            for target in panel["targets"]:
                yield f"panel {panel['title']!r}", target["expr"]
        for annotation in self.dashboard["annotations"]["list"]:
            yield "annotation", annotation["expr"]
        for variable in self.dashboard["templating"]["list"]:
            if "definition" in variable:
                yield f"variable {variable['name']}", variable["definition"]
        for alert in self.alerts:
            yield f"alert {alert['alert']}", alert["expr"]

    def test_every_metric_is_documented_and_every_documented_metric_is_there(self):
        text = (self.deploy / "METRICS.md").read_text(encoding="utf-8")
        documented = text[text.index(TABLE_BEGINS) :]
        self.assertEqual(
            documented, table(self.metrics), f"\nmake it anew: python3 {sys.argv[0]} --write ROOT PROGRAMS"
        )

    def test_what_the_dashboard_and_the_rules_name_is_exported(self):
        named = 0
        for where, expression in self.expressions():
            for name, selector in SELECTOR.findall(expression):
                if name == "up":  # Prometheus' own
                    continue
                named += 1
                base = base_of(name, self.metrics)
                self.assertIn(base, self.metrics, where)
                self.check_matchers(where, base, selector)
        self.assertGreater(named, len(self.panels()))

    def check_matchers(self, where, name, selector):
        metric = self.metrics[name]
        for label, operator, value in MATCHER.findall(selector):
            if label in TARGET_LABELS:
                continue
            self.assertIn(label, metric.labels, f"{where}: {selector}")
            # Which codes there are depends on what was called.
            if label == "code" or operator.startswith("!"):
                continue
            # And which states open payments are in, on what was paid.
            seen_of = metric.labels[label] | (OPEN_STATES if name in OF_OPEN_PAYMENTS and label == "state" else set())
            for wanted in value.split("|") if operator == "=~" else [re.escape(value)]:
                seen = [one for one in seen_of if re.fullmatch(wanted, one)]
                self.assertTrue(seen, f"{where}: {label} {wanted} of {sorted(seen_of)}")

    def test_labels_are_of_closed_sets(self):
        for name, metric in self.metrics.items():
            values = set().union(*metric.labels.values())
            self.assertFalse(values & {STATION, OPERATOR, CLERK, *CUSTOMERS}, name)

    def test_what_was_done_was_counted(self):
        payments = self.metrics["waystation_payments_total"]
        self.assertEqual(len(payments.labels["state"]), 10)
        came_to = {state: payments.total(state=state) for state in payments.labels["state"]}
        expected = {"HELD": 3, "SUCCEEDED": 1, "DECLINED": 1, "UNKNOWN": 1, "REVIEW": 1}
        self.assertEqual(came_to, dict.fromkeys(came_to, 0) | expected)
        calls = self.metrics["waystation_calls_total"]
        self.assertEqual(calls.total(method="PaymentService/Pay"), len(CUSTOMERS))
        self.assertEqual(calls.total(method="AccountService/GetAccount", code="NOT_FOUND"), 1)
        self.assertEqual(self.metrics["waystation_declines_total"].total(), 1)
        # Each state that a payment was in since the start is there, with what it holds now.
        opened = self.metrics["waystation_open_payments"]
        self.assertEqual(opened.labels["state"], {"UNKNOWN", "REVIEW"})
        self.assertEqual((opened.total(), opened.total(state="REVIEW", biller="mobile", age="1m")), (1, 1))
        self.assertLessEqual(self.metrics["waystation_open_payments_oldest_seconds"].labels["state"], OPEN_STATES)

    def test_every_panel_says_what_it_shows(self):
        ids = [panel["id"] for panel in self.dashboard["panels"]]
        self.assertEqual(len(ids), len(set(ids)))
        taken = set()
        for panel in self.dashboard["panels"]:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            self.assertFalse(cells & taken, f"{panel['title']} lies over another")
            taken |= cells
        for panel in self.panels():
            self.assertTrue(panel["title"] and panel["description"].endswith("."), panel["title"])
            self.assertTrue(panel["fieldConfig"]["defaults"]["unit"], panel["title"])
            references = [target["refId"] for target in panel["targets"]]
            self.assertEqual(len(references), len(set(references)), panel["title"])

    def test_the_dashboards_expressions_are_promql(self):
        # As rules, which promtool reads; what Grafana puts in is put in.
        records = []
        for panel in self.panels():
            for target in panel["targets"]:
                expression = target["expr"].replace("$__rate_interval", "5m").replace("$job", "switchd")
                records.append({"record": "panel:expression", "expr": expression, "labels": {"n": str(len(records))}})
        rules = yaml.safe_dump({"groups": [{"name": "dashboard", "rules": records}]})
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(rules)
            file.flush()
            command = ["promtool", "check", "rules", file.name]
            result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_every_alert_says_what_to_do_and_is_tested_both_ways(self):
        fires, rests = set(), set()
        for path in sorted((options.root / "tests/deploy").glob("alerts_*_test.yaml")):
            for test in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]:
                for case in test["alert_rule_test"]:
                    (fires if case["exp_alerts"] else rests).add(case["alertname"])
        names = [alert["alert"] for alert in self.alerts]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(fires, set(names))
        self.assertEqual(rests, set(names))
        for alert in self.alerts:
            self.assertIn(alert["labels"]["severity"], ("page", "ticket"), alert["alert"])
            self.assertTrue(alert["annotations"]["summary"], alert["alert"])
            self.assertTrue(alert["annotations"]["runbook"].endswith("."), alert["alert"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("root", type=pathlib.Path, help="of the sources")
    parser.add_argument("programs", type=pathlib.Path, help="the folder that switchd and switchctl are in")
    parser.add_argument("--write", action="store_true", help="make the table of METRICS.md anew")
    parser.parse_args(namespace=options)
    if not options.write:
        unittest.main(argv=sys.argv[:1], verbosity=2)
    path = options.root / "deploy/METRICS.md"
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.index(TABLE_BEGINS)] + table(read_metrics()), encoding="utf-8")


if __name__ == "__main__":
    main()
