#pragma once

#include "switch/core/account.h"
#include "switch/core/payment.h"

namespace waystation::core {

// The station's figures after `amount` of one payment went from one column to another. Captured money has left the
// balance; the other side of that posting is the biller's payable account.
AccountAfter Moved(AccountAfter figures, Money amount, MoneyColumn from, MoneyColumn to);

}  // namespace waystation::core
