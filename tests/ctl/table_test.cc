#include "switch/ctl/table.h"

#include <gtest/gtest.h>

namespace waystation::ctl {
namespace {

TEST(DisplayWidthTest, CountsTerminalColumns) {
  EXPECT_EQ(DisplayWidth(""), 0U);
  EXPECT_EQ(DisplayWidth("abc"), 3U);
  EXPECT_EQ(DisplayWidth("王小明"), 6U);
  EXPECT_EQ(DisplayWidth("王*明 A"), 7U);
  EXPECT_EQ(DisplayWidth("（注）"), 6U);   // full-width brackets
  EXPECT_EQ(DisplayWidth("e\u0301"), 1U);  // a combining accent
  EXPECT_EQ(DisplayWidth("é"), 1U);
  EXPECT_EQ(DisplayWidth("𠮷"), 2U);
}

TEST(DisplayWidthTest, CountsBrokenBytesOneEach) {
  EXPECT_EQ(DisplayWidth("\xff\xfe"), 2U);
  EXPECT_EQ(DisplayWidth("\xe7\x8e"), 2U);      // cut off in the middle of a character
  EXPECT_EQ(DisplayWidth("\xe7\x41\x42"), 3U);  // a lead byte without its followers
}

TEST(PrintableTest, KeepsTextAndReplacesWhatDrivesATerminal) {
  EXPECT_EQ(Printable("王小明 Li"), "王小明 Li");
  EXPECT_EQ(Printable("a\x1b[31mb\nc\td"), "a?[31mb?c?d");
  EXPECT_EQ(Printable("\xc2\x9b"), "?");  // C1: a one-character escape sequence
  EXPECT_EQ(Printable("a\u202e"
                      "b"),
            "a?b");  // right-to-left override
  EXPECT_EQ(Printable("a\xff"
                      "b"),
            "a?b");
}

TEST(TableTest, PadsByDisplayWidthAndAlignsMoneyRight) {
  Table table({{"name"}, {"yuan", Align::kRight}, {"state"}});
  table.AddRow({"王小明", "5.00", "SUCCEEDED"});
  table.AddRow({"Li", "1234.50", ""});
  EXPECT_EQ(table.ToString(),
            "name       yuan  state\n"
            "王小明     5.00  SUCCEEDED\n"
            "Li      1234.50\n");
}

TEST(TableTest, WithoutRowsHasItsTitles) {
  EXPECT_EQ(Table({{"station"}, {"name"}}).ToString(), "station  name\n");
}

TEST(TableTest, ACellCannotBreakTheLine) {
  Table table({{"name"}});
  table.AddRow({"a\nb"});
  EXPECT_EQ(table.ToString(), "name\na?b\n");
}

TEST(FieldListTest, AlignsLabelsAndMoneyAndLeavesOutTheEmpty) {
  FieldList fields;
  fields.Add("name", "李记");
  fields.Add("voucher", "");
  fields.AddMoney("balance", -5);
  fields.AddMoney("credit limit", 200000);
  EXPECT_EQ(fields.ToString(),
            "name          李记\n"
            "balance         -0.05 yuan\n"
            "credit limit  2000.00 yuan\n");
}

}  // namespace
}  // namespace waystation::ctl
