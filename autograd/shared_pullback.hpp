/// \file
/// What the pullbacks of one entry share while the rewind visits it (`rewind.cpp`): one pass over memory may
/// make several gradients.
#pragma once

#include <any>

namespace reel {

namespace detail {

/// Of the visit that this thread is in.
extern constinit thread_local std::any* shared_in_visit;

}  // namespace detail

/// make(), called for the first pullback of an entry that asks; the entry's others get the same value, and
/// the rewind forgets it when it leaves the entry. A pullback that is called alone, because the rewind wants
/// no other, is right as well. One entry shares one value.
template <class F>
const auto& once_in_visit(const F& make) {
    using Made = decltype(make());
    std::any& shared = *detail::shared_in_visit;
    if (!shared.has_value()) shared = make();
    return *std::any_cast<Made>(&shared);
}

}  // namespace reel
