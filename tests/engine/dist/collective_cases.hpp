#pragma once

#include "engine/dist/communicator.hpp"
#include "kernels/core/distributions.hpp"
#include "kernels/core/error.hpp"

#include <cmath>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace ascore::test {

/// What all kinds of communicators must do, with numbers on which the order of a sum shows. Throws Error at the first
/// difference: it also runs where there is no Catch2, in a program under mpirun.
class CollectiveCases {
 public:
  /// `device`: whose views the ranks exchange; they lie in host memory (cpu or simt).
  explicit CollectiveCases(Communicator& ranks, Device device = Device::cpu) : ranks_(ranks), device_(device) {}

  void run() {
    for (const int64_t count : {0, 1, 2, 3, 7, 64, 1001, 70001}) {
      sum<float>(count, DType::f32);
      sum<double>(count, DType::f64);
    }
    sums_beside_each_other();
    for (int root = 0; root < ranks_.size(); ++root) broadcast(root);
    gather();
    words();
    hashes();
    ranks_.barrier();
  }

 private:
  /// Element i of rank r: of magnitudes from 2^-20 to 2^20, of both signs.
  template <class T>
  static T value(int rank, int64_t i) {
    const RandomBits bits =
        random_bits({.seed = 5, .first_sample = static_cast<uint64_t>(rank)}, 0, static_cast<uint32_t>(i));
    const double fraction = static_cast<double>(static_cast<int32_t>(bits.word[0])) / 2147483648.0;
    return static_cast<T>(std::ldexp(fraction, static_cast<int>(bits.word[1] % 41) - 20));
  }

  template <class T>
  std::vector<T> values(int64_t count, int rank) const {
    std::vector<T> mine(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i) mine[static_cast<size_t>(i)] = value<T>(rank, i);
    return mine;
  }
  /// ((v0 + v1) + v2) + ..., by one loop.
  template <class T>
  std::vector<T> plain_sum(int64_t count) const {
    std::vector<T> sums = values<T>(count, 0);
    for (int r = 1; r < ranks_.size(); ++r) {
      for (int64_t i = 0; i < count; ++i) sums[static_cast<size_t>(i)] += value<T>(r, i);
    }
    return sums;
  }
  void expect(bool holds, const std::string& what) const {
    if (!holds) throw Error(fmt::format("rank {} of {}: {}", ranks_.rank(), ranks_.size(), what));
  }

  template <class T>
  void sum(int64_t count, DType dtype) {
    std::vector<T> mine = values<T>(count, ranks_.rank());
    ranks_.all_reduce_sum(stream_, View(mine.data(), {count}, dtype, device_));
    const std::vector<T> wanted = plain_sum<T>(count);
    expect(count == 0 || std::memcmp(mine.data(), wanted.data(), mine.size() * sizeof(T)) == 0,
           fmt::format("the sum of {} {} is not that of a loop in rank order", count, name(dtype)));
  }

  void sums_beside_each_other() {
    std::vector<float> first = values<float>(5000, ranks_.rank());
    std::vector<double> second = values<double>(333, ranks_.rank());
    Pending one = ranks_.start_all_reduce_sum(stream_, View(first.data(), {5000}, DType::f32, device_));
    Pending two = ranks_.start_all_reduce_sum(stream_, View(second.data(), {333}, DType::f64, device_));
    const std::vector<std::string> between = ranks_.exchange("between");
    expect(between.back() == "between", "words between two sums");
    two.wait(stream_);
    one.wait(stream_);
    expect(first == plain_sum<float>(5000) && second == plain_sum<double>(333), "two sums under way at once");
  }

  void broadcast(int root) {
    for (const int64_t count : {0, 1, 4099}) {
      std::vector<float> mine = values<float>(count, ranks_.rank());
      ranks_.broadcast(stream_, View(mine.data(), {count}, DType::f32, device_), root);
      expect(mine == values<float>(count, root), fmt::format("{} elements of rank {} for all", count, root));
    }
  }

  void gather() {
    std::vector<int64_t> counts;  // 5, 0, 15, 20, ...
    for (int r = 0; r < ranks_.size(); ++r) counts.push_back(r == 1 ? 0 : 5 * (r + 1));
    const int64_t total = std::accumulate(counts.begin(), counts.end(), int64_t{0});
    const int64_t own = counts[static_cast<size_t>(ranks_.rank())];
    std::vector<double> mine = values<double>(own, ranks_.rank()), wanted, all(static_cast<size_t>(total), -1);
    for (int r = 0; r < ranks_.size(); ++r) {
      const std::vector<double> piece = values<double>(counts[static_cast<size_t>(r)], r);
      wanted.insert(wanted.end(), piece.begin(), piece.end());
    }
    ranks_.all_gather(stream_, View(mine.data(), {own}, DType::f64, device_),
                      View(all.data(), {total}, DType::f64, device_), counts);
    expect(all == wanted, "pieces of unequal length in rank order");
  }

  void words() {
    const auto of = [](int rank) {
      return std::string(static_cast<size_t>(rank * 100), static_cast<char>('a' + rank));
    };
    const std::vector<std::string> all = ranks_.exchange(of(ranks_.rank()));
    expect(all.size() == static_cast<size_t>(ranks_.size()), "words of all ranks");
    for (int r = 0; r < ranks_.size(); ++r) expect(all[static_cast<size_t>(r)] == of(r), "each rank's words");
  }

  void hashes() {
    expect(!first_differing_rank(ranks_, 42), "equal hashes agree");
    const int last = ranks_.size() - 1;
    const auto differing = first_differing_rank(ranks_, ranks_.rank() == last && last > 0 ? 1 : 0);
    expect(last > 0 ? differing == last : !differing, "the rank that differs");
  }

  Communicator& ranks_;
  Device device_;
  Stream stream_{device_, {.threads = 1}};
};

}  // namespace ascore::test
