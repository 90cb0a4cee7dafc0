// Boost.JSON's own code, compiled here once: Debian's Boost::headers has no library of it.
#include "boost/json/src.hpp"
