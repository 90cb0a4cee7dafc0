#!/usr/bin/env python3
"""A short `switchbench rows`, which begins with a compare, runs from beginning to end, and its output has the shape
that the headers promise.

No figure is looked at: rows_shape_test.py SWITCHBENCH
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SWITCHBENCH = ""
ALWAYS = {"echo_unary", "echo_stream", "pay_unary", "pay_stream", "ledger"}
WHERE_INSTALLED = {"postgres", "redis", "redis_pipelined"}
AT_LEAST = {"one_station/many_stations", "one_biller/three_billers", "overload_goodput", "observed/unobserved"}
AT_MOST = {
    "one_payment/floor",
    "half_rate_p99_ms",
    "recovered_p99_ms",
    "overload_inquire_p99_ms",
    "overload_get_account_p99_ms",
}
SLOW_ONES = {
    "million_stations/many_stations",
    "million_stations_resident_mb",
    "million_20/million_1",
    "disk_bytes_a_payment",
}
RATIOS = {
    "pay_unary/echo_unary",
    "pay_stream/echo_unary",
    "pay_unary/postgres",
    "pay_unary/redis",
    "pay_stream/postgres",
    "pay_stream/redis_pipelined",
}


class Rows(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        command = [SWITCHBENCH, "rows", "--rounds", "2", "--seconds", "0.3", "--warm-up", "0.1", "--stations", "20"]
        command += ["--in-flight", "100", "--stream-in-flight", "512", "--a-message", "32", "--overload-seconds", "1"]
        with tempfile.NamedTemporaryFile(suffix=".json") as file:
            command += ["--json", file.name]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=110)
            if done.returncode != 0:
                raise AssertionError(f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}")
            cls.text = done.stdout
            cls.json = json.load(file)

    def test_each_was_measured_or_skipped_with_a_word(self):
        rates, skipped = self.json["rates"], self.json["skipped"]
        self.assertEqual(set(rates) | set(skipped), ALWAYS | WHERE_INSTALLED)
        self.assertFalse(set(rates) & set(skipped))
        self.assertLessEqual(set(skipped), WHERE_INSTALLED)
        for name, why in skipped.items():
            self.assertIn("not installed", why, name)
            self.assertIn(f"{name} was skipped: ", self.text)
        for name, rate in rates.items():
            self.assertGreater(rate, 0, name)

    def test_ratios_are_of_the_medians(self):
        rates = self.json["rates"]
        expected = {name for name in RATIOS if set(name.split("/")) <= set(rates)}
        self.assertEqual(set(self.json["ratios"]), expected)
        for name, ratio in self.json["ratios"].items():
            part, whole = name.split("/")
            self.assertAlmostEqual(ratio, rates[part] / rates[whole], msg=name)

    def test_spreads_hold_the_medians(self):
        for name, spread in self.json["spreads"].items():
            self.assertLessEqual(spread["least"], spread["most"], name)
            if name in self.json["rates"]:
                self.assertLessEqual(spread["least"], self.json["rates"][name], name)
                self.assertGreaterEqual(spread["most"], self.json["rates"][name], name)
        self.assertEqual(set(self.json["spreads"]), set(self.json["rates"]) | set(self.json["ratios"]))

    def test_each_round_has_each(self):
        self.assertEqual(len(self.json["rounds"]), 2)
        for one in self.json["rounds"]:
            self.assertEqual(set(one), set(self.json["rates"]))
            for name in ("pay_unary", "pay_stream"):
                self.assertEqual(set(one[name]["results"]), {"SUCCEEDED"}, name)

    def test_each_promise_has_its_bound(self):
        promises = self.json["promises"]
        self.assertEqual({name for name, one in promises.items() if "at_least" in one}, AT_LEAST)
        self.assertEqual({name for name, one in promises.items() if "at_most" in one}, AT_MOST)
        for name, one in promises.items():
            self.assertGreater(one["value"], 0, name)
            kept = one["value"] >= one["at_least"] if name in AT_LEAST else one["value"] <= one["at_most"]
            self.assertEqual(one["kept"], kept, name)

    def test_people_see_what_it_was_measured_with_and_against(self):
        self.assertIn("100 in flight on 2 connections, 2 generator threads", self.text)
        self.assertIn("over streams: 512 in flight, 32 a message", self.text)
        table = self.text.partition("at least\n")[2].partition("\n\n")[0]
        for name, target in self.json["targets"].items():
            lines = [line for line in table.splitlines() if line.startswith(name + " ")]
            self.assertEqual(len(lines), 1 if name in self.json["spreads"] else 0, name)
            for line in lines:
                self.assertEqual(float(line.removesuffix("missed").split()[4]), target)
        shape = {"in_flight": 100, "stations": 20, "seconds": 0.3, "stream_in_flight": 512, "a_message": 32}
        self.assertEqual({key: self.json[key] for key in shape}, shape)
        for key in ("channels", "threads", "seed", "machine"):
            self.assertIn(key, self.json)
        self.assertEqual((self.json["kind"], self.json["schema"]), ("switchbench rows", 1))

    def test_rows_that_were_not_asked_for_are_named(self):
        self.assertEqual(set(self.json["not_measured"]), SLOW_ONES)
        self.assertFalse(set(self.json["promises"]) & SLOW_ONES)
        line = next(line for line in self.text.splitlines() if line.startswith("not measured without --slow-ones: "))
        self.assertEqual(set(line.partition(": ")[2].split(", ")), SLOW_ONES)


class ProgramsOfOurs(unittest.TestCase):
    def test_one_that_is_missing_is_an_error_and_not_skipped(self):
        with tempfile.TemporaryDirectory() as folder:
            alone = shutil.copy(SWITCHBENCH, folder)
            figures = pathlib.Path(folder, "compare.json")
            command = [alone, "compare", "--unary-only", "--json", figures]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn(f"{folder}/echo_server", done.stderr)
            self.assertFalse(figures.exists())


if __name__ == "__main__":
    SWITCHBENCH = sys.argv.pop()
    unittest.main()
