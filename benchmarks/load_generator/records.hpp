#pragma once
// Records in the place of values under names: those of the model that benchmarks/shop/annals.toml declares. A record is
// told by its number and the sequence of its last write, and all of them have the same length:
//
//     {"id":"910a2dec-8902-425c-80c1-000000000001","sku":"SKU-00000001",
//      "name":"00000001-0000000000000007-kT9x...","price":"10079.19","stock":1001}          (on one line)
//
//   id     in no order: its digits are those of a mix of the number, and the number itself, so that no two are the same
//   name   the value that ValueMaker makes of number and sequence
//   price  10,000 and number * 7,919 modulo 1,000,000 hundredths: of a million records, no two have the same
//   stock  1,000 and number modulo 1,000
//
// RecordMaker is immutable and may be shared; RecordRequests is confined to one thread.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "benchmarks/load_generator/requests.hpp"
#include "benchmarks/load_generator/workload.hpp"

namespace annals::benchmarks {

inline constexpr std::size_t id_bytes = 36;
inline constexpr std::uint64_t price_hundredths_min = 1'000'000;
inline constexpr std::uint64_t prices = 1'000'000;
inline constexpr std::uint64_t price_step = 7'919;
inline constexpr std::uint64_t stock_min = 1'000;
inline constexpr std::uint64_t stocks = 1'000;

/// Writes id_bytes: the id of the record of this number, which is below keys_max.
void write_record_id(char* out, std::uint64_t number);

class RecordMaker {
 public:
  /// `values` makes the names, and outlives this.
  explicit RecordMaker(const ValueMaker& values);

  [[nodiscard]] std::size_t size() const { return form_.size(); }
  /// Writes size() bytes.
  void write(char* out, std::uint64_t number, std::uint64_t sequence) const;
  [[nodiscard]] std::string text(std::uint64_t number, std::uint64_t sequence) const;
  /// The sequence that a text of this number would be of; nullopt when its length or its name are those of none.
  /// The rest of the text is not looked at.
  [[nodiscard]] std::optional<std::uint64_t> sequence_in(std::string_view text, std::uint64_t number) const;

 private:
  const ValueMaker& values_;
  std::string form_;  // a record without its values
  std::size_t id_at_ = 0;
  std::size_t sku_at_ = 0;
  std::size_t name_at_ = 0;
  std::size_t price_at_ = 0;
  std::size_t stock_at_ = 0;
};

class RecordRequests final : public Requests {
 public:
  /// `base` is what ids are appended to, such as "/api/products/". What a write is: with `created_at_once` 0 a PATCH of
  /// the name of a record that is there; with 1 a POST of a new one; with more a `POST /batch` of so many.
  RecordRequests(const ValueMaker& values, const std::string& host, const std::string& base,
                 std::size_t created_at_once);

  [[nodiscard]] std::string_view write(std::uint64_t key, std::size_t count, std::uint64_t sequence) override;
  [[nodiscard]] std::string_view get(std::uint64_t key) override;
  [[nodiscard]] bool confirms(std::string_view body, std::uint64_t key, std::size_t count,
                              std::uint64_t sequence) override;
  [[nodiscard]] std::optional<std::uint64_t> sequence_in(std::string_view body, std::uint64_t key) override;
  [[nodiscard]] std::string body(std::uint64_t key, std::uint64_t sequence) const override;

 private:
  [[nodiscard]] std::string_view patch(std::uint64_t key, std::uint64_t sequence);
  [[nodiscard]] std::string_view create(std::uint64_t key, std::uint64_t sequence);
  [[nodiscard]] std::string_view create_several(std::uint64_t key, std::size_t count, std::uint64_t sequence);

  const ValueMaker& values_;
  const RecordMaker records_;
  const std::string host_;
  const std::size_t created_at_once_;
  std::string operation_begin_;  // of one POST within a batch
  std::string batch_text_;
  std::string patch_text_;
  std::string create_text_;
  std::string get_text_;
  std::string expected_;  // a record to compare with
  std::size_t patch_id_at_ = 0;
  std::size_t patch_name_at_ = 0;
  std::size_t create_record_at_ = 0;
  std::size_t get_id_at_ = 0;
};

}  // namespace annals::benchmarks
