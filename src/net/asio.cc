// SPDX-License-Identifier: Apache-2.0
// The compiled part of Asio, once for the whole program.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
