// Batches that the cpu convolves in parts, because operands are copied: as each image alone.
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/core/library_memory.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

using namespace ascore;
using kernels::Conv2dOptions;

namespace {

/// More than one part in bf16 (2.6 MB per image widened where the library has no bf16).
constexpr int64_t kImages = 3, kHeight = 34, kWidth = 40, kIn = 8, kOut = 480;

/// Image i of a tensor [N,...].
template <class V>
V image(V x, int64_t i) {
  const int64_t count = x.count() / x.dim(0);
  auto* const bytes = const_cast<char*>(static_cast<const char*>(x.raw()));
  return {bytes + static_cast<size_t>(i * count) * size_of(x.dtype()), Shape{1, x.dim(1), x.dim(2), x.dim(3)},
          x.dtype(), x.device()};
}

}  // namespace

TEST_CASE("conv2d of a batch in parts is conv2d of its images") {
  for (const Device device : test::devices()) {
    if (device != Device::cpu) continue;  // the others copy no operands
    for (const DType dtype : {DType::f32, DType::bf16}) {
      for (const int stride : {1, 2}) {
        INFO(name(dtype) << ", stride " << stride);
        const Conv2dOptions options{.stride = stride};
        Stream stream(device);
        const auto x = test::data(device, {kImages, kHeight, kWidth, kIn}, dtype, test::Fill::integers, 1);
        const auto weight = test::data(device, {kOut, 3, 3, kIn}, DType::f32, test::Fill::integers, 2);
        const Shape out = kernels::conv2d_output_shape(x.shape(), weight.shape(), options);
        const auto dy = test::data(device, out, dtype, test::Fill::integers, 3);
        const auto kept = test::data(device, x.shape(), dtype, test::Fill::normal, 4);
        auto y = test::poisoned(device, out, dtype), y_alone = test::poisoned(device, out, dtype);
        auto dx = test::poisoned(device, x.shape(), dtype), dx_alone = test::poisoned(device, x.shape(), dtype);
        auto dweight = test::poisoned(device, weight.shape()), part = test::poisoned(device, weight.shape());
        auto dbias = test::poisoned(device, {kOut});
        const kernels::Conv2dEpilogue epilogue{.residual = dy, .activation = Activation::elu, .slope = 1};
        const auto bias = test::data(device, {kIn});
        const kernels::Conv2dGradEpilogue gradient{
            .bias = bias, .kept = kept, .activation = Activation::elu, .residual = x};
        kernels::conv2d(stream, x, weight, {}, options, y, epilogue);
        kernels::conv2d_dgrad(stream, dy, weight, options, dx, gradient);
        kernels::conv2d_wgrad(stream, x, dy, options, dweight, dbias, {});

        std::vector<double> sum(static_cast<size_t>(weight.shape().count()));
        for (int64_t i = 0; i < kImages; ++i) {
          const ConstView xi = image<ConstView>(x, i), dyi = image<ConstView>(dy, i);
          kernels::conv2d(stream, xi, weight, {}, options, image<View>(y_alone, i),
                          {.residual = dyi, .activation = Activation::elu, .slope = 1});
          kernels::conv2d_dgrad(
              stream, dyi, weight, options, image<View>(dx_alone, i),
              {.bias = bias, .kept = image<ConstView>(kept, i), .activation = Activation::elu, .residual = xi});
          kernels::conv2d_wgrad(stream, xi, dyi, options, part, {}, {});
          const std::vector<double> more = part.values();
          for (size_t k = 0; k < sum.size(); ++k) sum[k] += more[k];
        }
        CHECK(y.values() == y_alone.values());
        CHECK(dx.values() == dx_alone.values());
        CHECK(dweight.values() == sum);  // sums of integers: exact in any order
      }
    }
  }
}

TEST_CASE("what conv2d copies on the cpu does not grow with the batch") {
  for (const Device device : test::devices()) {
    if (device != Device::cpu) continue;
    for (const DType dtype : {DType::f32, DType::bf16}) {
      const auto kept = [&](int64_t images) {
        Stream stream(device, {.threads = 1});
        const Conv2dOptions options{.stride = 2};
        const auto x = test::data(device, {images, kHeight, kWidth, kIn}, dtype);
        const auto weight = test::data(device, {kOut, 3, 3, kIn});
        const Shape out = kernels::conv2d_output_shape(x.shape(), weight.shape(), options);
        const auto dy = test::data(device, out, dtype);
        auto y = test::poisoned(device, out, dtype), dx = test::poisoned(device, x.shape(), dtype);
        auto dweight = test::poisoned(device, weight.shape());
        kernels::conv2d(stream, x, weight, {}, options, y, {});
        kernels::conv2d_dgrad(stream, dy, weight, options, dx, {});
        kernels::conv2d_wgrad(stream, x, dy, options, dweight, {}, {});
        return stream.attached<LibraryMemory>().peak;
      };
      INFO(name(dtype));
      CHECK(kept(12) <= kept(6) + kept(6) / 20);
    }
  }
}
