#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "adapters/iso8583/host_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/adapters/iso8583_host.h"
#include "tests/storage/temporary_folder.h"

// A data file with something wrong in it is refused when it is read, and not when the first payment goes wrong.
namespace waystation::adapters::iso8583 {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

using Changes = std::vector<std::pair<std::string, std::string>>;

absl::StatusOr<HostFile> LoadChanged(const std::string& path, const Changes& changes) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  std::string changed = text.str();
  for (const auto& [from, to] : changes) {
    const size_t at = changed.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    changed.replace(at, from.size(), to);
  }
  const storage::TemporaryFolder folder;
  std::ofstream(folder.Under("host.json")) << changed;
  return HostFile::Load(folder.Under("host.json"));
}
std::string Fault(const std::string& path, const Changes& changes) {
  return std::string(LoadChanged(path, changes).status().message());
}
std::string Fault(const Changes& changes) {
  return Fault(ElectricityFile(), changes);
}

TEST(HostFile, OurReferenceComesBackAsItWasSent) {
  const std::string expected = "; expected room for 16 digits that come back as they were sent";
  EXPECT_THAT(Fault(AsciiHostFile(), {{R"("tag": "reference", "length": 20)", R"("tag": "reference", "length": 15)"}}),
              EndsWith("element 48 has a part \"reference\" of at most 15 characters" + expected));
  EXPECT_THAT(Fault({{R"("lengths": 3)", R"("lengths": 1)"}}),
              EndsWith("element 48 has a part \"01\" of at most 9 characters" + expected));
  EXPECT_THAT(Fault({{R"("length": 512)", R"("length": 20)"}}),
              EndsWith("element 48 has 20 characters, and 21 are needed" + expected));
  EXPECT_THAT(Fault(AsciiHostFile(), {{R"("length": 512)", R"("length": 15)"}}),
              EndsWith("element 48 has 15 characters, and 20 are needed" + expected));
  const std::string whole = R"("our_reference": "37")";
  const std::string place = R"("our_reference": "48.01")";
  const std::string element = R"("type": "an", "form": "fixed", "length": 12, "encoding": "ascii"},)";
  EXPECT_THAT(Fault({{place, whole}}), EndsWith("element 37 has 12 characters, and 16 are needed" + expected));
  EXPECT_THAT(
      Fault({{place, whole}, {element, R"("type": "n", "form": "fixed", "length": 16, "encoding": "ascii"},)"}}),
      EndsWith("element 37 is filled up with zeros" + expected));
  EXPECT_THAT(
      Fault({{place, whole}, {element, R"("type": "b", "form": "fixed", "length": 16, "encoding": "binary"},)"}}),
      EndsWith("element 37 is of a type that does not go with it" + expected));
  for (const std::string good : {R"("type": "an", "form": "fixed", "length": 16, "encoding": "ascii"},)",
                                 R"("type": "n", "form": "LLVAR", "length": 16, "encoding": "bcd"},)"}) {
    EXPECT_EQ(Fault({{place, whole}, {element, good}}), "");
  }
}

TEST(HostFile, WhatIsTooLongForItsPartIsNotWritten) {
  const HostFile ascii = LoadHost(AsciiHostFile());
  Message message;
  EXPECT_EQ(ascii.dialect.Write(ascii.dialect.owed, "1234567890123", &message).message(),
            "field 48: part \"owed\": 13 characters; expected at most 12");
  EXPECT_FALSE(message.Has(48));
  ASSERT_TRUE(ascii.dialect.Write(ascii.dialect.owed, "123456789012", &message).ok());
  EXPECT_EQ(ascii.dialect.Read(message, ascii.dialect.owed), "123456789012");
  const HostFile electricity = LoadHost(ElectricityFile());
  EXPECT_EQ(electricity.dialect.Write(electricity.dialect.owed, std::string(1'000, '1'), &message).message(),
            "field 48: part \"04\": 1000 characters; expected at most 999");
}

TEST(HostFile, WhatTheCardPromisesIsThere) {
  EXPECT_THAT(Fault({{R"("query": "330000", )", ""}}), EndsWith("processing_codes.query: missing or empty; the card "
                                                                "promises it"));
  EXPECT_THAT(Fault({{R"("query": {
      "00": {"means": "original"},
      "25": {"means": "never received"}
    },)",
                      ""}}),
              EndsWith("answers.query: missing or empty; the card promises it"));
  EXPECT_THAT(Fault({{R"("reversal": {
      "00": {"means": "done"},
      "05": {"means": "declined", "text": "refused by the power company"},
      "61": {"means": "declined", "text": "the voucher has been used"}
    },)",
                      ""}}),
              EndsWith("answers.reversal: missing or empty; the card promises it"));
  EXPECT_THAT(Fault({{R"("voucher": "48.05",)", ""}}), EndsWith("places.voucher: missing; the card promises it"));
}

TEST(HostFile, ProcessingCodesTellTheRequestsApart) {
  EXPECT_THAT(Fault({{R"("query": "330000")", R"("query": "33000x")"}}),
              EndsWith("processing_codes.query: \"33000x\"; expected 6 digits"));
  EXPECT_THAT(Fault({{R"("query": "330000")", R"("query": "500000")"}}),
              HasSubstr("processing_codes.query: 500000 is that of payment too"));
}

TEST(HostFile, NoCodeOfAQueryIsADecline) {
  const std::string never = R"("25": {"means": "never received"})";
  EXPECT_THAT(Fault({{never, R"("25": {"means": "declined"})"}}),
              HasSubstr("answers.query.25.means: declined: was the query, or the payment?"));
  EXPECT_THAT(Fault({{R"("91": {"means": "unknown"})", R"("91": {"means": "original"})"}}),
              HasSubstr("answers.payment.91.means: original: only a query finds the payment so"));
  EXPECT_THAT(Fault({{R"(,
    "original_code": "48.06")",
                      ""}}),
              HasSubstr("answers.query.00.means: original: places.original_code is missing"));
}

TEST(HostFile, TheCardHasServiceHoursAndABoundOnWaiting) {
  const std::string limit = R"("time_limit_ms": 10000)";
  const auto file =
      LoadChanged(ElectricityFile(), {{limit, limit + R"(, "service_hours": "06:00-23:30", "max_waiting": 17)"}});
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->card.service_hours.ToString(), "06:00-23:30");
  EXPECT_EQ(file->card.max_waiting, 17u);
  EXPECT_THAT(Fault({{limit, limit + R"(, "service_hours": "all day")"}}), HasSubstr("card.service_hours: "));
  // Both hosts keep reversal advice about a payment that may still lie with them, so that a denial proves nothing.
  EXPECT_FALSE(file->card.query_denial_is_final);
  EXPECT_FALSE(LoadHost(AsciiHostFile()).card.query_denial_is_final);
}

}  // namespace
}  // namespace waystation::adapters::iso8583
