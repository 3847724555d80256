#pragma once
// Forms that several attributes of declarations have. Pure.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/instant.hpp"
#include "base/result.hpp"
#include "model/declaration.hpp"

namespace annals::model {

/// Which of these words the value is. `name`: of the attribute, such as "model.product.durability: ". Errors: usage, at
/// the place, with the words and the nearest of them.
[[nodiscard]] Result<std::size_t> word_of(const Declared& value, const std::string& name,
                                          std::span<const std::string_view> words);

/// The value as a time, such as "90d" (duration_from_text) or the integer 0; nullopt when it is none.
[[nodiscard]] std::optional<Duration> duration_of(const Declared& value);

}  // namespace annals::model
