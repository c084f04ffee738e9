// The bridge to xtensor: every layout is seen as it is, memory is shared and kept.
#include "tensor/xtensor.hpp"

#include <doctest/doctest.h>

#if __has_include(<xtensor/core/xmath.hpp>)
#include <xtensor/containers/xarray.hpp>
#include <xtensor/containers/xtensor.hpp>
#include <xtensor/core/xmath.hpp>
#include <xtensor/views/xview.hpp>
#else
#include <xtensor/xarray.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>
#endif

#include "reel.hpp"

using namespace reel;

namespace {

template <class E>
std::vector<double> values_of(const E& expression) {
    return {expression.template begin<xt::layout_type::row_major>(),
            expression.template end<xt::layout_type::row_major>()};
}

}  // namespace

TEST_CASE("xtensor: a tensor of any layout is seen as it is") {
    const Tensor x = arange(24, kFloat64).reshape({2, 3, 4});
    const std::vector<Tensor> layouts = {x,
                                         x.transpose(0, 2),
                                         x.permute({1, 2, 0}),
                                         x.slice(2, 1, 4, 2),
                                         x.flip({0, 2}),
                                         x.slice(1, None, None, -1),
                                         x.select(1, 2),
                                         x.select(0, 1).flip({0}).t(),
                                         x.narrow(0, 1, 1),
                                         x.unsqueeze(1),
                                         x.narrow(2, 0, 1).expand({2, 3, 5}),
                                         x.diagonal(0, 1, 2),
                                         x[1][2][3],
                                         x.slice(0, 2, 2),
                                         tensor(2.5).to(kFloat64).expand({3, 2})};
    for (const Tensor& t : layouts) {
        CAPTURE(t.sizes());
        CAPTURE(t.strides());
        const auto view = as_xtensor<double>(t);
        CHECK(view.dimension() == static_cast<std::size_t>(t.dim()));
        CHECK(view.size() == static_cast<std::size_t>(t.numel()));
        CHECK(values_of(view) == t.to_vector<double>());
        CHECK(from_xtensor(view).equal(t));
        CHECK(from_xtensor(view).sizes() == t.sizes());
        CHECK(from_xtensor(as_xtensor<const double>(t) * 2 + 1).equal(t * 2 + 1));
        const xt::xarray<double> evaluated = view;
        CHECK(from_xtensor(evaluated).equal(t));
        CHECK(from_xtensor(xt::transpose(view)).equal(t.permute([&] {
            Shape dims;
            for (std::int64_t d = t.dim(); d-- > 0;) dims.push_back(d);
            return dims;
        }())));
        if (t.numel() > 0) CHECK(xt::sum(view)() == t.sum().item<double>());
        if (t.dim() > 1 && t.numel() > 0) CHECK(from_xtensor(xt::sum(view, {1})).equal(t.sum(1)));
    }
}

TEST_CASE("xtensor: views broadcast among themselves") {
    const Tensor a = arange(6, kFloat32).reshape({2, 3});
    const Tensor column = a.narrow(1, 2, 1);
    const Tensor row = a.flip({1})[1];
    CHECK(from_xtensor(as_xtensor<float>(a) + as_xtensor<float>(column)).equal(a + column));
    CHECK(from_xtensor(as_xtensor<float>(column) * as_xtensor<float>(row)).equal(column * row));
}

TEST_CASE("xtensor: memory is shared, both ways, and lives as long as a view of it") {
    Tensor t = zeros({2, 3});
    auto view = as_xtensor<float>(t.t());
    t.fill_(3);
    CHECK(view(2, 1) == 3);
    view(0, 1) = 7;
    CHECK(t[1][0].item<float>() == 7);
    xt::view(view, xt::all(), 0) = 5;
    CHECK(t.to_vector<int>() == std::vector<int>{5, 5, 5, 7, 3, 3});
    const std::int64_t before = memory_stats().live_storages;
    t = Tensor();
    CHECK(memory_stats().live_storages == before);
    CHECK(values_of(view) == std::vector<double>{5, 7, 5, 3, 5, 3});
    {
        const auto last = std::move(view);
        CHECK(last(0, 1) == 7);
    }
    const auto sum = as_xtensor<float>(full({1000}, 2.0)) + 1;
    CHECK(sum(999) == 3);
}

TEST_CASE("xtensor: types on both sides") {
    CHECK(from_xtensor(xt::xarray<int>{{1, 2}, {3, 4}}).dtype() == kInt64);
    CHECK(from_xtensor(xt::xarray<int>{{1, 2}, {3, 4}}).equal(tensor({{1, 2}, {3, 4}})));
    CHECK(from_xtensor(xt::xtensor<bool, 1>{true, false}).equal(tensor({true, false})));
    CHECK(from_xtensor(xt::xarray<float>(0.5f)).dim() == 0);
    CHECK(from_xtensor(xt::xarray<double>{1.0} < 2.0).dtype() == kBool);
    CHECK(as_xtensor<std::int64_t>(arange(3))(2) == 2);
    CHECK(as_xtensor<bool>(tensor({false, true}))(1));
    CHECK(static_cast<float>(as_xtensor<Half>(ones({2}, kFloat16))(1)) == 1);
    CHECK_THROWS_AS(as_xtensor<float>(arange(3)), DTypeError);
    CHECK_THROWS_AS(as_xtensor<float>(Tensor()), Error);
}

TEST_CASE("xtensor: a container's memory is taken over") {
    xt::xarray<double> x = {{1, 2, 3}, {4, 5, 6}};
    const double* memory = x.data();
    Tensor t = from_xtensor(std::move(x));
    CHECK(t.data_ptr<double>() == memory);
    CHECK(t.sizes() == Shape({2, 3}));
    CHECK(t.sum().item<double>() == 21);
    const Tensor row = t[1];
    t = Tensor();
    CHECK(row.to_vector<double>() == std::vector<double>{4, 5, 6});

    xt::xtensor<float, 2, xt::layout_type::column_major> columns = {{1, 2, 3}, {4, 5, 6}};
    const Tensor turned = from_xtensor(std::move(columns));
    CHECK(turned.strides() == Shape({1, 2}));
    CHECK(turned.to_vector<float>() == std::vector<float>{1, 2, 3, 4, 5, 6});

    xt::xarray<std::int64_t> integers = {7, 8};
    const std::int64_t* place = integers.data();
    CHECK(from_xtensor(std::move(integers)).data_ptr<std::int64_t>() == place);
    xt::xarray<short> small = {7, 8};
    CHECK(from_xtensor(std::move(small)).dtype() == kInt64);  // a copy
    CHECK(from_xtensor(xt::xarray<float>::from_shape({0, 3})).sizes() == Shape({0, 3}));
}
