#pragma once

#include <rapidcheck.h>

#include <string>
#include <tuple>
#include <vector>

#include "switch/core/account.h"
#include "switch/core/command.h"
#include "switch/core/leg.h"
#include "switch/core/payment.h"

// Values of everything that has a stored form, and what makes two of them equal.
namespace waystation::storage {

// One leg of every kind with every field set, and one with as little as there can be.
std::vector<core::Leg> SampleLegs();
core::Payment SamplePayment();
core::Purchase SamplePurchase();
// A station, a biller, and one of each kind without an owner.
std::vector<core::Account> SampleAccounts();

// Whether all fields are the same.
bool Same(const core::Fact& a, const core::Fact& b);
bool Same(const core::Account& a, const core::Account& b);

// From the whole range of what may be stored.
rc::Gen<core::Payment> AnyPayment();
rc::Gen<core::Purchase> AnyPurchase();
rc::Gen<core::Account> AnyAccount();
rc::Gen<core::Fact> AnyFact();

}  // namespace waystation::storage
