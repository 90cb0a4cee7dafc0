#include "adapters/gas/message.h"

#include <chrono>
#include <string>
#include <vector>

#include "adapters/gas/china_time.h"
#include "adapters/gas/document.h"
#include "adapters/gas/gbk.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace waystation::adapters::gas {
namespace {

using ::testing::HasSubstr;

TEST(Gbk, IsAsTheStandardHasIt) {
  // 燃气公司, by hand from the code table.
  const std::string gbk = "\xc8\xbc\xc6\xf8\xb9\xab\xcb\xbe";
  EXPECT_EQ(Utf8FromGbk(gbk).value(), "燃气公司");
  EXPECT_EQ(GbkFromUtf8("燃气公司").value(), gbk);
  EXPECT_EQ(Utf8FromGbk("a1 -").value(), "a1 -");
  EXPECT_EQ(Utf8FromGbk("").value(), "");
  // 镕 is in GBK and not in GB 2312, which it grew from.
  EXPECT_EQ(Utf8FromGbk("\xe9\x46").value(), "镕");
}

TEST(Gbk, WhatIsNotOfItIsRefused) {
  EXPECT_EQ(Utf8FromGbk("ab\xff\xff").status().message(), "byte 3 is not GBK, or has no character in UTF-8");
  EXPECT_FALSE(Utf8FromGbk("a\xc8").ok());
  EXPECT_FALSE(GbkFromUtf8("😀").ok());
  EXPECT_FALSE(GbkFromUtf8("\xc8\xbc").ok());
}

TEST(GasMessage, GoesOutAsTheHostReadsIt) {
  const RequestMessage message{.service = "pay",
                               .partner = "邮政",
                               .serial = "17",
                               .time = "20261121103000",
                               .body = {{"order", "42"}, {"customer", "<&>"}}};
  EXPECT_EQ(Encode(message).value(),
            "<?xml version=\"1.0\" encoding=\"GBK\"?><message><head><service>pay</service><partner>\xd3\xca\xd5\xfe"
            "</partner><serial>17</serial><time>20261121103000</time></head><body><order>42</order>"
            "<customer>&lt;&amp;&gt;</customer></body></message>");
}

TEST(GasMessage, ComesInWithAllItsParts) {
  const auto answer = DecodeAnswer(
      "<?xml version='1.0' encoding='GBK'?>\r\n<message>\r\n <head><service>query</service><serial>17</serial>"
      "<code>00</code><text>\xb3\xc9\xb9\xa6</text></head>\r\n <body><order>42</order><customer>12345600</customer>"
      "<state>refused</state><refusal>13</refusal><amount>175.15</amount><reference>G1</reference>"
      "<name>\xd5\xc5*</name><owed>0.5</owed><other><deep/></other></body></message>\n");
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->service, "query");
  EXPECT_EQ(answer->serial, "17");
  EXPECT_EQ(answer->order.code, "00");
  EXPECT_EQ(answer->order.order, "42");
  EXPECT_EQ(answer->customer, "12345600");
  EXPECT_EQ(answer->order.state, OrderState::kRefused);
  EXPECT_EQ(answer->order.refusal, "13");
  EXPECT_EQ(answer->order.amount, core::Money::Fen(17'515));
  EXPECT_EQ(answer->order.reference, "G1");
  EXPECT_EQ(answer->order.name, "张*");
  EXPECT_EQ(answer->order.owed, core::Money::Fen(50));
}

TEST(GasMessage, WhatIsNotAnAnswerIsRefused) {
  const auto message = [](const std::string& head, const std::string& body) {
    return "<message><head>" + head + "</head><body>" + body + "</body></message>";
  };
  const std::string code = "<code>00</code>";
  struct Row {
    std::string document;
    std::string fault;
  };
  const std::vector<Row> rows = {
      {"", "No document element"},
      {"<message>", "at byte"},
      {"<answer/>", "expected one <message>"},
      {message(code, "") + "<message/>", "expected one <message>"},
      {message("", ""), "<code>: expected a text"},
      {message(code + code, ""), "<code>: expected it once"},
      {message(code, "").replace(9, 6, "<head/><head>"), "<head>: expected it once"},
      {message(code, "<order><a/></order>"), "<order>: expected a plain text"},
      {message(code, "<order>1&#10;2</order>"), "<order>: expected a plain text"},
      {message(code, "<name>&#xD800;</name>"), "<name>: expected a plain text"},
      {message(code, "<name>" + std::string(121, 'a') + "</name>"), "<name>: expected a plain text"},
      {message(code, "<amount>12.345</amount>"), "<amount>: expected an amount"},
      {message(code, "<amount>-1.00</amount>"), "<amount>: expected an amount"},
      {message(code, "<amount>100000000.01</amount>"), "<amount>: expected an amount"},
      {message(code, "<state>lost</state>"), "<state>: expected processing"},
      {message(code, "<!-- a -->"), "a declaration, a comment or a CDATA section"},
      {message(code, "<![CDATA[a]]>"), "a declaration, a comment or a CDATA section"},
      {"<!DOCTYPE message SYSTEM 'file:///etc/passwd'>" + message(code, ""), "a declaration"},
      {"<!DOCTYPE m [<!ENTITY a 'b'><!ENTITY c '&a;&a;&a;&a;'>]>" + message(code, "<name>&c;</name>"), "a declaration"},
      {message(code, "<?php?>"), "a processing instruction"},
      {message(code, std::string(65'536, ' ')), "at most 65536 are taken"},
      {message(code, "<a><b><c><d><e><f><g>"), "deeper than 8 elements"},
      {std::string(30'000, '<'), "a tag has no end"},
      {"<message a='", "a tag has no end"},
  };
  for (const Row& row : rows) {
    const auto answer = DecodeAnswer(row.document);
    ASSERT_FALSE(answer.ok()) << row.document.substr(0, 200);
    EXPECT_THAT(std::string(answer.status().message()), HasSubstr(row.fault)) << row.document.substr(0, 200);
  }
}

// An entity that nobody declared stays as it stands.
TEST(GasMessage, NothingIsExpanded) {
  const auto answer = DecodeAnswer("<message><head><code>&a;</code></head></message>");
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->order.code, "&a;");
}

TEST(ChinaTime, IsEightHoursAhead) {
  const core::TimePoint time(std::chrono::milliseconds(1'795'231'800'500));
  EXPECT_EQ(ChinaTime(time), "20261121113000");
  EXPECT_EQ(ParseChinaTime("20261121113000").value(), core::TimePoint(std::chrono::milliseconds(1'795'231'800'000)));
  for (const std::string text : {"", "2026112111300", "20261131000000", "20261121240000", "20261121006000",
                                 "20261121000060", "2026112111300a", "202611211130000"}) {
    EXPECT_FALSE(ParseChinaTime(text).ok()) << text;
  }
}

}  // namespace
}  // namespace waystation::adapters::gas
