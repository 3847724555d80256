#include "benchmarks/load_generator/records.hpp"

#include "base/invariant.hpp"

namespace annals::benchmarks {
namespace {

constexpr std::string_view created_in_batch = R"("status":201)";
constexpr std::size_t price_whole_digits = 5;
constexpr std::size_t stock_digits = 4;

/// The request line and the fields of a request with a body of so many bytes.
std::string head_of(const std::string& method_and_path, const std::string& host, std::size_t body_bytes) {
  return method_and_path + " HTTP/1.1\r\nHost: " + host +
         "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body_bytes) + "\r\n\r\n";
}

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

}  // namespace

void write_record_id(char* out, std::uint64_t number) {
  INVARIANT(number < keys_max, "a record's number has eight digits");
  const std::uint64_t mixed = Dice(number).next();
  write_hexadecimal(out, 8, mixed >> 32);
  write_hexadecimal(out + 9, 4, mixed >> 16);
  write_hexadecimal(out + 14, 4, 0x4000 | (mixed >> 8 & 0xfff));  // as of a drawn UUID (RFC 9562, version 4)
  write_hexadecimal(out + 19, 4, 0x8000 | (mixed & 0xff));
  write_hexadecimal(out + 24, 12, number);
  out[8] = out[13] = out[18] = out[23] = '-';
}

RecordMaker::RecordMaker(const ValueMaker& values) : values_(values) {
  const auto gap = [this](const char* before, std::size_t bytes) {
    form_ += before;
    form_.append(bytes, '.');
    return form_.size() - bytes;
  };
  id_at_ = gap(R"({"id":")", id_bytes);
  sku_at_ = gap(R"(","sku":"SKU-)", key_digits);
  name_at_ = gap(R"(","name":")", values.size());
  price_at_ = gap(R"(","price":")", price_whole_digits + 3);
  stock_at_ = gap(R"(","stock":)", stock_digits);
  form_ += '}';
}

void RecordMaker::write(char* out, std::uint64_t number, std::uint64_t sequence) const {
  form_.copy(out, form_.size());
  write_record_id(out + id_at_, number);
  write_decimal(out + sku_at_, key_digits, number);
  values_.write(out + name_at_, number, sequence);
  const std::uint64_t price = price_hundredths_min + number * price_step % prices;
  write_decimal(out + price_at_, price_whole_digits, price / 100);
  out[price_at_ + price_whole_digits] = '.';
  write_decimal(out + price_at_ + price_whole_digits + 1, 2, price % 100);
  write_decimal(out + stock_at_, stock_digits, stock_min + number % stocks);
}

std::string RecordMaker::text(std::uint64_t number, std::uint64_t sequence) const {
  std::string made(size(), '\0');
  write(made.data(), number, sequence);
  return made;
}

std::optional<std::uint64_t> RecordMaker::sequence_in(std::string_view text, std::uint64_t number) const {
  if (text.size() != size()) return std::nullopt;
  return values_.sequence_in(text.substr(name_at_, values_.size()), number);
}

RecordRequests::RecordRequests(const ValueMaker& values, const std::string& host, const std::string& base,
                               std::size_t created_at_once)
    : values_(values),
      records_(values),
      host_(host),
      created_at_once_(created_at_once),
      expected_(records_.size(), '\0') {
  INVARIANT(base.size() > 1 && base.ends_with('/'), "records have a path, and ids come after its slash");
  const std::string id(id_bytes, '.');
  const std::string path = base.substr(0, base.size() - 1);
  operation_begin_ = R"({"method":"POST","path":")" + path + R"(","body":)";

  const std::string patch_begin = R"({"name":")";
  const std::string patch_end = R"("})";
  patch_text_ = head_of("PATCH " + base + id, host, patch_begin.size() + values.size() + patch_end.size());
  patch_id_at_ = std::string("PATCH ").size() + base.size();
  patch_text_ += patch_begin;
  patch_name_at_ = patch_text_.size();
  patch_text_ += std::string(values.size(), '.') + patch_end;

  create_text_ = head_of("POST " + path, host, records_.size());
  create_record_at_ = create_text_.size();
  create_text_.append(records_.size(), '.');

  get_text_ = get_request(base + id, host);
  get_id_at_ = std::string("GET ").size() + base.size();
}

std::string_view RecordRequests::write(std::uint64_t key, std::size_t count, std::uint64_t sequence) {
  if (created_at_once_ == 0) return patch(key, sequence);
  if (created_at_once_ == 1) return create(key, sequence);
  return create_several(key, count, sequence);
}

std::string_view RecordRequests::patch(std::uint64_t key, std::uint64_t sequence) {
  write_record_id(patch_text_.data() + patch_id_at_, key);
  values_.write(patch_text_.data() + patch_name_at_, key, sequence);
  return patch_text_;
}

std::string_view RecordRequests::create(std::uint64_t key, std::uint64_t sequence) {
  records_.write(create_text_.data() + create_record_at_, key, sequence);
  return create_text_;
}

std::string_view RecordRequests::create_several(std::uint64_t key, std::size_t count, std::uint64_t sequence) {
  const std::size_t body_bytes = 1 + count * (operation_begin_.size() + records_.size() + 2);
  batch_text_ = head_of("POST /batch", host_, body_bytes);
  for (std::size_t i = 0; i < count; ++i) {
    batch_text_ += i == 0 ? '[' : ',';
    batch_text_ += operation_begin_;
    const std::size_t at = batch_text_.size();
    batch_text_.resize(at + records_.size());
    records_.write(batch_text_.data() + at, key + i, sequence);
    batch_text_ += '}';
  }
  batch_text_ += ']';
  return batch_text_;
}

std::string_view RecordRequests::get(std::uint64_t key) {
  write_record_id(get_text_.data() + get_id_at_, key);
  return get_text_;
}

bool RecordRequests::confirms(std::string_view body, std::uint64_t key, std::size_t count, std::uint64_t sequence) {
  if (created_at_once_ > 1) return count_of(body, created_in_batch) == count;
  records_.write(expected_.data(), key, sequence);
  return body == expected_;
}

std::optional<std::uint64_t> RecordRequests::sequence_in(std::string_view body, std::uint64_t key) {
  const auto sequence = records_.sequence_in(body, key);
  if (!sequence) return std::nullopt;
  records_.write(expected_.data(), key, *sequence);
  return body == expected_ ? sequence : std::nullopt;
}

std::string RecordRequests::body(std::uint64_t key, std::uint64_t sequence) const {
  return records_.text(key, sequence);
}

}  // namespace annals::benchmarks
