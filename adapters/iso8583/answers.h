#pragma once

#include "adapters/biller_adapter.h"
#include "adapters/iso8583/exchange.h"
#include "adapters/iso8583/message.h"

// What a host's answer settles, by its tables of response codes (element 39). An approval settles nothing unless it is
// whole: our reference, the amount, the biller's reference, the voucher that the card promises; one that is not is
// alarmed. Threads: any.
namespace waystation::adapters::iso8583 {

InquiryOutcome ReadInquiry(const LinkParts& parts, const Message& answer);
PayOutcome ReadPay(const LinkParts& parts, const Message& answer, const PaymentRequest& request);
QueryOutcome ReadQuery(const LinkParts& parts, const Message& answer, const PaymentRequest& request);
ReverseOutcome ReadReverse(const LinkParts& parts, const Message& answer);
CancelOutcome ReadCancel(const LinkParts& parts, const Message& answer);

}  // namespace waystation::adapters::iso8583
