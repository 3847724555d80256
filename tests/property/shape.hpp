#pragma once
// Random declarations: what is declared of models as plain data, which is drawn, changed, and written as a file. The
// reference goes by this data alone and never by what the program read of the file. Values; the dice say the rest.

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "platform/simulated.hpp"
#include "tests/property/plain_json.hpp"

namespace annals::property {

using Dice = platform::SimulatedRandom;

/// True `part` times of `whole`.
[[nodiscard]] bool chance(Dice& dice, std::uint64_t part, std::uint64_t whole);
template <class T>
[[nodiscard]] const T& any_of(Dice& dice, const std::vector<T>& all) {
  return all[dice.below(all.size())];
}

enum class Type : std::uint8_t {
  string,
  text,
  integer,
  decimal,
  number,
  boolean,
  date,
  timestamp,
  uuid,
  choice,
  json,
  list
};

/// A value as a client writes it, and as records show it.
struct Sample {
  std::string sent;
  std::string shown;
};

/// What is known of a type: how it is declared, good values, and bad ones, each with the code of its fault.
struct TypePage {
  Type type;
  std::string declared;
  std::vector<Sample> good;
  std::vector<std::pair<std::string, std::string>> bad;
  bool has_range = false;  ///< min, max, gt, ...
  bool can_be_unique = false;
  bool can_be_indexed = false;
  bool can_have_filter = false;  ///< of Bloom's kind
};
[[nodiscard]] const TypePage& page_of(Type type);

enum class OnDelete : std::uint8_t { restrict_it, cascade, set_null };
enum class Made : std::uint8_t { no, now, uuid };

struct Rule {
  enum class Kind : std::uint8_t { none, length, min, max, pattern, one_of };
  Kind kind = Kind::none;
  std::size_t least = 0;       ///< of length
  std::size_t most = 0;        ///< of length
  std::vector<Sample> values;  ///< of min and max one
  bool capitals = false;       ///< of pattern: [A-Z].*, else [a-z]*
};

/// Where the value of a computed field comes from.
struct Computed {
  enum class Way : std::uint8_t { is_null, twice, as_text };
  Way way = Way::is_null;
  std::string of;
};

struct FieldShape {
  std::string name;
  Type type = Type::string;
  bool primary_key = false;
  bool required = false;
  bool unique = false;
  bool indexed = false;
  bool bloom_filter = false;
  bool exposed = true;
  bool secret = false;
  std::optional<Sample> otherwise;  ///< the default
  Made made = Made::no;
  Rule rule;
  std::string event;
  std::optional<std::size_t> references;  ///< the place of a model
  OnDelete on_delete = OnDelete::restrict_it;
  std::vector<std::string> renamed_from;
  bool carries_integers = false;  ///< a string that was an integer once, with an upcast
  std::optional<Computed> computed;

  [[nodiscard]] bool shown() const { return exposed && !secret; }
};

struct ModelShape {
  std::string name;  ///< "apple"
  Type key_type = Type::string;
  bool audited = false;
  std::size_t versioned = 0;
  bool snapshots = false;  ///< every ten events
  bool memory_max = false;
  bool cached = false;
  std::vector<FieldShape> fields;  ///< the first is the primary key
  std::vector<FieldShape> retired;
  std::size_t names_given = 0;

  [[nodiscard]] std::string path() const { return "/" + name + "s"; }
  [[nodiscard]] const FieldShape* field(const std::string& named) const;
  /// The field that takes what events say of a name; null when none does.
  [[nodiscard]] const FieldShape* taker(const std::string& named) const;
};

struct Shape {
  bool large = false;  ///< some values are
  std::vector<ModelShape> models;

  /// The values that a field may be given.
  [[nodiscard]] std::vector<Sample> samples(const FieldShape& field) const;
};

/// The texts of keys of a type.
[[nodiscard]] const std::vector<std::string>& keys_of(Type type);
/// A key as the value of a field.
[[nodiscard]] Json key_value(Type type, const std::string& key);

/// The code of the rule that a value breaks; nullopt when it breaks none.
[[nodiscard]] std::optional<std::string> broken_rule(const Rule& rule, Type type, const Json& value);

[[nodiscard]] Shape any_shape(Dice& dice);
/// The same declared otherwise in one or two ways.
[[nodiscard]] Shape changed_shape(Dice& dice, Shape shape);

/// As annals.toml has it.
[[nodiscard]] std::string declaration_of(const Shape& shape);

}  // namespace annals::property
