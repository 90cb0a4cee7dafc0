#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "adapters/conformance/suite.h"
#include "adapters/registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/contract/registered.h"

// What every adapter promises, run over all that is registered.
namespace waystation::adapters {
namespace {

TEST(ContractCases, CoverWhatIsRegistered) {
  std::set<std::string_view> covered;
  for (const RegisteredCase& registered : RegisteredCases()) covered.insert(registered.adapter);
  const std::vector<std::string_view> names = AdapterNames();
  EXPECT_EQ(covered, std::set<std::string_view>(names.begin(), names.end()));
}

TEST(ContractCases, NameChecksThatThereAre) {
  const std::vector<std::string_view> checks = conformance::CheckNames();
  for (const RegisteredCase& registered : RegisteredCases()) {
    for (const std::string& name : registered.not_applicable) {
      EXPECT_THAT(checks, testing::Contains(name)) << registered.label;
    }
  }
}

class AdapterContract : public testing::TestWithParam<std::tuple<RegisteredCase, std::string_view>> {};

TEST_P(AdapterContract, Holds) {
  const auto& [registered, check] = GetParam();
  const conformance::Result result = conformance::RunCheck(registered.target(), check);
  RecordProperty("detail", result.detail);
  EXPECT_NE(result.verdict, conformance::Verdict::kFailed) << result.detail;
  EXPECT_EQ(result.verdict == conformance::Verdict::kNotApplicable, registered.not_applicable.contains(check))
      << "not applicable: " << result.detail;
}

INSTANTIATE_TEST_SUITE_P(Registered, AdapterContract,
                         testing::Combine(testing::ValuesIn(RegisteredCases()),
                                          testing::ValuesIn(conformance::CheckNames())),
                         [](const auto& test) {
                           return std::get<0>(test.param).label + "_" + std::string(std::get<1>(test.param));
                         });

}  // namespace
}  // namespace waystation::adapters
