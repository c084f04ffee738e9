/// \file
/// What the pullbacks of one node share while the rewind visits it (`rewind.cpp`): one pass over memory may
/// make several gradients.
#pragma once

#include <memory>

namespace reel {

namespace detail {

/// Of the visit that this thread is in; null outside of one.
extern constinit thread_local std::shared_ptr<void>* shared_in_visit;

}  // namespace detail

/// make(), called for the first pullback of a node that asks; the node's others get the same value, and
/// the rewind forgets it when it leaves the node. A pullback that is called alone, because the rewind wants
/// no other or because there is no rewind, is right as well. One node shares one value.
auto once_in_visit(const auto& make) {
    using Made = decltype(make());
    std::shared_ptr<void>* const shared = detail::shared_in_visit;
    if (shared && *shared) return std::static_pointer_cast<Made>(*shared);
    const auto made = std::make_shared<Made>(make());
    if (shared) *shared = made;
    return made;
}

}  // namespace reel
