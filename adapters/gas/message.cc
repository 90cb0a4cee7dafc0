#include "adapters/gas/message.h"

#include <optional>

#include "adapters/gas/document.h"
#include "adapters/gas/gbk.h"
#include "adapters/plain_text.h"
#include "fmt/format.h"
#include "pugixml.hpp"
#include "switch/core/limits.h"

namespace waystation::adapters::gas {
namespace {

constexpr size_t kMostWordBytes = 32;

absl::Status Fault(std::string_view element, std::string_view expected) {
  return absl::InvalidArgumentError(fmt::format("<{}>: expected {}", element, expected));
}

void Append(pugi::xml_node parent, std::string_view element, const std::string& text) {
  parent.append_child(std::string(element).c_str()).text().set(text.c_str());
}

// The one child of that name; a null node where there is none.
absl::StatusOr<pugi::xml_node> Child(pugi::xml_node parent, const char* element) {
  const pugi::xml_node child = parent.child(element);
  if (child && child.next_sibling(element)) return Fault(element, "it once");
  return child;
}

// Leaves `text` as it is where the element is missing.
absl::Status TakeText(pugi::xml_node parent, const char* element, size_t most_bytes, std::string& text) {
  const absl::StatusOr<pugi::xml_node> child = Child(parent, element);
  if (!child.ok()) return child.status();
  const std::string_view value = child->child_value();
  const pugi::xml_node content = child->first_child();
  const bool alone = !content || (content.type() == pugi::node_pcdata && !content.next_sibling());
  if (!alone || !IsPlainText(value, most_bytes)) {
    return Fault(element, fmt::format("a plain text of at most {} bytes", most_bytes));
  }
  text = value;
  return absl::OkStatus();
}

absl::Status TakeAmount(pugi::xml_node parent, const char* element, std::optional<core::Money>& amount) {
  std::string text;
  if (absl::Status status = TakeText(parent, element, kMostWordBytes, text); !status.ok()) return status;
  if (text.empty()) return absl::OkStatus();
  const absl::StatusOr<core::Money> money = core::ParseYuan(text);
  if (!money.ok() || *money < core::Money() || *money > core::kMaxAmount) {
    return Fault(element, "an amount in yuan, like 12.50");
  }
  amount = *money;
  return absl::OkStatus();
}

absl::Status TakeState(pugi::xml_node parent, std::optional<OrderState>& state) {
  std::string word;
  if (absl::Status status = TakeText(parent, "state", kMostWordBytes, word); !status.ok()) return status;
  state = ParseOrderState(word);
  return word.empty() || state ? absl::OkStatus() : Fault("state", "processing, paid, refused or taken_back");
}

absl::StatusOr<AnswerMessage> FromDocument(const pugi::xml_document& document) {
  const absl::StatusOr<pugi::xml_node> head = Child(document.document_element(), "head");
  if (!head.ok()) return head.status();
  const absl::StatusOr<pugi::xml_node> body = Child(document.document_element(), "body");
  if (!body.ok()) return body.status();
  AnswerMessage answer;
  absl::Status status = TakeText(*head, "service", kMostWordBytes, answer.service);
  status.Update(TakeText(*head, "serial", kMostWordBytes, answer.serial));
  status.Update(TakeText(*head, "code", core::kMaxBillerCodeBytes, answer.order.code));
  status.Update(TakeText(*body, "order", kMostWordBytes, answer.order.order));
  status.Update(TakeText(*body, "customer", core::kMaxCustomerNumberBytes, answer.customer));
  status.Update(TakeState(*body, answer.order.state));
  status.Update(TakeText(*body, "refusal", core::kMaxBillerCodeBytes, answer.order.refusal));
  status.Update(TakeText(*body, "reference", core::kMaxBillerReferenceBytes, answer.order.reference));
  status.Update(TakeText(*body, "name", core::kMaxNameBytes, answer.order.name));
  status.Update(TakeAmount(*body, "amount", answer.order.amount));
  status.Update(TakeAmount(*body, "owed", answer.order.owed));
  if (!status.ok()) return status;
  if (answer.order.code.empty()) return Fault("code", "a text");
  return answer;
}

}  // namespace

absl::StatusOr<std::string> Encode(const RequestMessage& message) {
  pugi::xml_document document;
  pugi::xml_node declaration = document.append_child(pugi::node_declaration);
  declaration.append_attribute("version") = "1.0";
  declaration.append_attribute("encoding") = "GBK";
  pugi::xml_node root = document.append_child("message");
  pugi::xml_node head = root.append_child("head");
  Append(head, "service", std::string(message.service));
  Append(head, "partner", message.partner);
  Append(head, "serial", message.serial);
  Append(head, "time", message.time);
  pugi::xml_node body = root.append_child("body");
  for (const auto& [element, text] : message.body) Append(body, element, text);
  return GbkFromUtf8(ToText(document));
}

absl::StatusOr<AnswerMessage> DecodeAnswer(std::string_view gbk) {
  if (gbk.size() > kMostDocumentBytes) {
    return absl::InvalidArgumentError(
        fmt::format("the document has {} bytes; at most {} are taken", gbk.size(), kMostDocumentBytes));
  }
  const absl::StatusOr<std::string> utf8 = Utf8FromGbk(gbk);
  if (!utf8.ok()) return utf8.status();
  if (absl::Status status = CheckBeforeParsing(*utf8); !status.ok()) return status;
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(
      utf8->data(), utf8->size(), pugi::parse_default | pugi::parse_declaration, pugi::encoding_utf8);
  if (!parsed) return absl::InvalidArgumentError(fmt::format("at byte {}: {}", parsed.offset, parsed.description()));
  const std::string_view encoding = document.first_child().attribute("encoding").value();
  const bool declared = document.first_child().type() == pugi::node_declaration;
  if (declared && encoding != "GBK" && encoding != "GB2312") {
    return absl::InvalidArgumentError(
        fmt::format("the document declares the encoding \"{}\"; expected GBK", encoding.substr(0, kMostWordBytes)));
  }
  const pugi::xml_node root = document.document_element();
  if (std::string_view(root.name()) != "message" || root.next_sibling()) {
    return absl::InvalidArgumentError("expected one <message>");
  }
  return FromDocument(document);
}

}  // namespace waystation::adapters::gas
