#!/usr/bin/env python3
"""switchbench run on a profile of some seconds: what came back is what the profile asked for, and diff reads it.

usage: run_test.py SWITCHBENCH PROFILE
"""

import json
import subprocess
import sys
import tempfile
import unittest
import xml.dom.minidom
from pathlib import Path

SWITCHBENCH, PROFILE = sys.argv[1:3]


def switchbench(*arguments):
    return subprocess.run([SWITCHBENCH, *map(str, arguments)], capture_output=True, text=True, timeout=100, check=False)


class ShortRun(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.json_path = Path(cls.folder.name) / "run.json"
        cls.html_path = Path(cls.folder.name) / "run.html"
        cls.process = switchbench("run", PROFILE, "--quiet", "--json", cls.json_path, "--html", cls.html_path)
        if cls.process.returncode != 0:
            raise AssertionError(f"exit status {cls.process.returncode}: {cls.process.stdout}{cls.process.stderr}")
        cls.run_result = json.loads(cls.json_path.read_text())

    def results(self, kind):
        return self.run_result["kinds"][kind]["results"]

    def test_every_call_that_was_made_has_a_result(self):
        for kind, asked in self.run_result["asked"]["kinds"].items():
            self.assertGreater(asked, 0, kind)
            self.assertEqual(sum(self.results(kind).values()), asked, kind)

    def test_every_arrival_of_the_curve_was_sent(self):
        # 100 a second of warm-up; then the area under 100, 300, 100 at 0, 2 and 4 s.
        self.assertEqual(sum(self.run_result["asked"]["kinds"].values()), 900)
        self.assertEqual(self.run_result["series"]["due"], [150, 250, 250, 150])
        self.assertEqual(self.run_result["totals"]["never_sent"], 0)

    def test_payments_came_out_as_their_customer_numbers_ask(self):
        endings = self.run_result["asked"]["endings"]
        declined, not_sent = endings["90"], endings["91"]
        payments = self.run_result["asked"]["kinds"]["pay"]
        self.assertEqual(
            self.results("pay"),
            {
                "SUCCEEDED": payments - declined - not_sent,
                "DECLINED BILLER_DECLINED": declined,
                "DECLINED NOT_SENT": not_sent,
            },
        )

    def test_the_outage_shows(self):
        # Without it one in 25 is declined: 5 % of three in four.
        asked = self.run_result["asked"]
        self.assertGreater(asked["endings"]["90"], asked["kinds"]["pay"] / 10)

    def test_blocks_of_the_journal_were_looked_at(self):
        self.assertTrue(self.run_result["batches"])
        for sample in self.run_result["batches"]:
            self.assertGreaterEqual(sample["legs_per_block"], 1)

    def test_the_report_is_one_page_of_well_formed_html(self):
        page = xml.dom.minidom.parse(str(self.html_path))
        self.assertEqual(len(page.getElementsByTagName("figure")), 7)

    def test_diff_finds_a_result_the_same_as_itself_and_a_slower_one_worse(self):
        self.assertEqual(switchbench("diff", self.json_path, self.json_path).returncode, 0)
        slower = dict(self.run_result)
        slower["totals"] = {**slower["totals"], "per_second": slower["totals"]["per_second"] / 2}
        path = Path(self.folder.name) / "slower.json"
        path.write_text(json.dumps(slower))
        worse = switchbench("diff", self.json_path, path)
        self.assertEqual(worse.returncode, 2)
        self.assertRegex(worse.stdout, r"all calls/s .* 0\.500  WORSE")
        path.write_text('{"kind": "weather"}')
        other = switchbench("diff", self.json_path, path)
        self.assertEqual(other.returncode, 1)
        self.assertIn('of kind "weather"', other.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
