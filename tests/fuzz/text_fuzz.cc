// Any text where an amount, a date or an id should be: refused, or a value that is written as it was read.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "switch/core/business_date.h"
#include "switch/core/check.h"
#include "switch/core/ids.h"
#include "switch/core/money.h"
#include "switch/core/utf8.h"

namespace waystation::core {
namespace {

void CheckMoney(std::string_view text) {
  const absl::StatusOr<Money> money = ParseYuan(text);
  if (!money.ok()) return;
  const absl::StatusOr<Money> again = ParseYuan(FormatYuan(*money));
  WS_CHECK(again.ok() && *again == *money, "an amount is read as it was written");
}

// One value, one text.
template <typename T>
void CheckText(std::string_view text) {
  const absl::StatusOr<T> value = T::Parse(text);
  WS_CHECK(!value.ok() || value->ToString() == text, "a value is written as it was read");
}

void CheckUtf8(std::string_view text) {
  for (size_t bytes : {size_t{0}, size_t{1}, size_t{7}, text.size()}) {
    const std::string cut = CutToUtf8(text, bytes);
    WS_CHECK(cut.size() <= bytes, "a cut text fits");
    WS_CHECK(IsUtf8(cut), "a cut text is UTF-8");
  }
  WS_CHECK(!IsUtf8(text) || CutToUtf8(text, text.size()) == text, "nothing is lost without need");
}

}  // namespace
}  // namespace waystation::core

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  waystation::core::CheckMoney(text);
  waystation::core::CheckText<waystation::core::BusinessDate>(text);
  waystation::core::CheckText<waystation::core::StationId>(text);
  waystation::core::CheckText<waystation::core::PaymentId>(text);
  waystation::core::CheckUtf8(text);
  return 0;
}
