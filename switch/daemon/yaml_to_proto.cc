#include "switch/daemon/yaml_to_proto.h"

#include <charconv>
#include <limits>
#include <optional>
#include <vector>

#include "fmt/format.h"
#include "fmt/ranges.h"
#include "google/protobuf/descriptor.h"
#include "switch/core/check.h"
#include "yaml-cpp/yaml.h"

namespace waystation::daemon {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// The line, from 1, of the first byte that is not part of well-formed UTF-8; null when all is well.
std::optional<int> LineOfBadUtf8(std::string_view text) {
  int line = 1;
  for (size_t i = 0; i < text.size();) {
    const auto byte = [&](size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u; };
    const unsigned lead = byte(i);
    if (lead == '\n') ++line;
    size_t length = 1;
    unsigned least_second = 0x80, most_second = 0xbf;
    if (lead >= 0xc2 && lead <= 0xdf) {
      length = 2;
    } else if (lead >= 0xe0 && lead <= 0xef) {
      length = 3;
      if (lead == 0xe0) least_second = 0xa0;  // not longer than needed
      if (lead == 0xed) most_second = 0x9f;   // no surrogates
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      length = 4;
      if (lead == 0xf0) least_second = 0x90;
      if (lead == 0xf4) most_second = 0x8f;  // up to U+10FFFF
    } else if (lead >= 0x80) {
      return line;
    }
    if (length > 1 && (byte(i + 1) < least_second || byte(i + 1) > most_second)) return line;
    for (size_t k = 2; k < length; ++k) {
      if (byte(i + k) < 0x80 || byte(i + k) > 0xbf) return line;
    }
    i += length;
  }
  return std::nullopt;
}

std::string Join(const std::string& path, const std::string& key) {
  return path.empty() ? key : path + "." + key;
}

std::string KeysOf(const Descriptor& descriptor) {
  std::vector<std::string> keys;
  for (int i = 0; i < descriptor.field_count(); ++i) keys.push_back(descriptor.field(i)->name());
  return fmt::format("{}", fmt::join(keys, ", "));
}

// Walks one document. Each method reads the node at `path` and returns the first fault.
class Reader {
 public:
  explicit Reader(KeyLines& lines) : lines_(lines) {}

  absl::Status Section(const YAML::Node& node, const std::string& path, Message& message) {
    const Descriptor& descriptor = *message.GetDescriptor();
    if (node.IsNull()) return absl::OkStatus();
    if (!node.IsMap()) {
      return lines_.Fault(path, fmt::format("not a section; expected keys out of {}", KeysOf(descriptor)));
    }
    for (const auto& entry : node) {
      std::string key_path;
      if (absl::Status status = Key(entry.first, path, key_path); !status.ok()) return status;
      const FieldDescriptor* field = descriptor.FindFieldByName(entry.first.Scalar());
      if (field == nullptr) {
        return lines_.Fault(key_path, fmt::format("unknown key; expected one of {}", KeysOf(descriptor)));
      }
      if (absl::Status status = Field(entry.second, key_path, *field, message); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  // Notes the key's place; refuses what is no key, and a key that was there before.
  absl::Status Key(const YAML::Node& key, const std::string& path, std::string& key_path) {
    if (!key.IsScalar()) return lines_.Fault(path, "a key that is not plain text; expected a name");
    key_path = Join(path, key.Scalar());
    const bool repeated = lines_.Has(key_path);
    lines_.Add(key_path, key.Mark().line + 1);
    return repeated ? lines_.Fault(key_path, "stands here twice; expected it once") : absl::OkStatus();
  }

  absl::Status Field(const YAML::Node& node, const std::string& path, const FieldDescriptor& field, Message& message) {
    const auto& reflection = *message.GetReflection();
    if (field.is_map()) return Map(node, path, field, message);
    if (field.is_repeated()) return List(node, path, field, message);
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      return Section(node, path, *reflection.MutableMessage(&message, &field));
    }
    if (!node.IsScalar()) return lines_.Fault(path, "no single value; expected one");
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING: reflection.SetString(&message, &field, node.Scalar()); break;
      case FieldDescriptor::CPPTYPE_UINT32:
        return Number<uint32_t>(node, path, [&](uint32_t n) { reflection.SetUInt32(&message, &field, n); });
      case FieldDescriptor::CPPTYPE_UINT64:
        return Number<uint64_t>(node, path, [&](uint64_t n) { reflection.SetUInt64(&message, &field, n); });
      case FieldDescriptor::CPPTYPE_INT64:
        return Number<int64_t>(node, path, [&](int64_t n) { reflection.SetInt64(&message, &field, n); });
      default: WS_CHECK(false, "a configuration field of a type that YAML is not read into");
    }
    return absl::OkStatus();
  }

  absl::Status Map(const YAML::Node& node, const std::string& path, const FieldDescriptor& field, Message& message) {
    if (node.IsNull()) return absl::OkStatus();
    if (!node.IsMap()) return lines_.Fault(path, "not a section; expected names with a value each");
    for (const auto& entry : node) {
      std::string key_path;
      if (absl::Status status = Key(entry.first, path, key_path); !status.ok()) return status;
      if (!entry.second.IsScalar()) return lines_.Fault(key_path, "no single value; expected one");
      Message& pair = *message.GetReflection()->AddMessage(&message, &field);
      const Descriptor& descriptor = *pair.GetDescriptor();
      pair.GetReflection()->SetString(&pair, descriptor.map_key(), entry.first.Scalar());
      pair.GetReflection()->SetString(&pair, descriptor.map_value(), entry.second.Scalar());
    }
    return absl::OkStatus();
  }

  absl::Status List(const YAML::Node& node, const std::string& path, const FieldDescriptor& field, Message& message) {
    if (node.IsNull()) return absl::OkStatus();
    if (!node.IsSequence()) return lines_.Fault(path, "not a list; expected items that start with \"- \"");
    int index = 0;
    for (const auto& item : node) {
      const std::string item_path = fmt::format("{}[{}]", path, index++);
      lines_.Add(item_path, item.Mark().line + 1);
      Message& added = *message.GetReflection()->AddMessage(&message, &field);
      if (absl::Status status = Section(item, item_path, added); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  template <typename N, typename Set>
  absl::Status Number(const YAML::Node& node, const std::string& path, Set set) {
    const std::string& text = node.Scalar();
    N number = 0;
    const char* end = text.data() + text.size();
    const auto [parsed_to, error] = std::from_chars(text.data(), end, number);
    if (text.empty() || error != std::errc() || parsed_to != end) {
      return lines_.Fault(path, fmt::format("\"{}\" is not a whole number; expected {} .. {}", text,
                                            std::numeric_limits<N>::min(), std::numeric_limits<N>::max()));
    }
    set(number);
    return absl::OkStatus();
  }

  KeyLines& lines_;
};

}  // namespace

absl::Status KeyLines::Fault(const std::string& path, std::string_view fault) const {
  std::string place = file_;
  for (std::string around = path; !around.empty();) {
    if (const auto found = lines_.find(around); found != lines_.end()) {
      place += fmt::format(":{}", found->second);
      break;
    }
    const size_t cut = around.find_last_of(".[");
    around.resize(cut == around.npos ? 0 : cut);
  }
  return absl::InvalidArgumentError(path.empty() ? fmt::format("{}: {}", place, fault)
                                                 : fmt::format("{}: {}: {}", place, path, fault));
}

absl::Status KeyLines::FaultAtLine(int line, std::string_view fault) const {
  return absl::InvalidArgumentError(fmt::format("{}:{}: {}", file_, line, fault));
}

absl::Status ReadYaml(const std::string& text, Message& message, KeyLines& lines) {
  if (const std::optional<int> line = LineOfBadUtf8(text)) {
    return lines.FaultAtLine(*line, "not UTF-8; expected text in UTF-8");
  }
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(text);
    if (documents.size() > 1) return lines.Fault("", "several documents; expected one");
    if (documents.empty()) return absl::OkStatus();
    return Reader(lines).Section(documents.front(), "", message);
  } catch (const YAML::Exception& error) {
    return lines.FaultAtLine(error.mark.line + 1, fmt::format("not YAML: {}", error.msg));
  }
}

}  // namespace waystation::daemon
