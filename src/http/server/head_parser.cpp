#include "http/server/head_parser.hpp"

#include <algorithm>
#include <cstring>

#include "http/characters.hpp"

namespace annals::http {
namespace {

constexpr std::size_t request_line_overhead_max =
    64;  // method, version, blanks; a method of ours has 7 letters at most
constexpr std::size_t remembered_bytes_max = 1u << 10;  // what a connection holds between requests, beside its buffer

/// What llhttp made of a head, taken while it still knows.
struct LlhttpVerdict {
  bool complete = false;
  bool chunked = false;
  std::uint64_t content_length = 0;
};

int take_verdict(llhttp_t* parser) {
  auto* verdict = static_cast<LlhttpVerdict*>(parser->data);
  verdict->complete = true;
  verdict->chunked = (parser->flags & F_CHUNKED) != 0;
  verdict->content_length = (parser->flags & F_CONTENT_LENGTH) != 0 ? parser->content_length : 0;
  return 0;
}

const llhttp_settings_t& llhttp_settings() {
  static const llhttp_settings_t settings = [] {
    llhttp_settings_t made;
    llhttp_settings_init(&made);
    made.on_headers_complete = take_verdict;
    return made;
  }();
  return settings;
}

Method method_from_text(std::string_view text) {
  if (text == "GET") return Method::get;
  if (text == "PUT") return Method::put;
  if (text == "POST") return Method::post;
  if (text == "HEAD") return Method::head;
  if (text == "DELETE") return Method::delete_;
  if (text == "PATCH") return Method::patch;
  if (text == "OPTIONS") return Method::options;
  return Method::other;
}

bool is_digit(char character) {
  return character >= '0' && character <= '9';
}

/// A target in origin-form, of visible characters of ASCII alone; read_target has refused what is no target.
bool is_plain_path(std::string_view target) {
  return target.starts_with('/') && !std::ranges::any_of(target, [](char character) {
           return static_cast<unsigned char>(character) <= 0x20 || static_cast<unsigned char>(character) >= 0x7f;
         });
}

/// `host` or `host:port`: a name or an IPv4 address, or an IPv6 address in brackets (RFC 3986 section 3.2).
bool is_authority(std::string_view text) {
  if (text.empty()) return false;
  const bool bracketed = text.front() == '[';
  const auto is_of_name = [](char character) {
    return characters::in(characters::authority, character) && character != ':' && character != '[' && character != ']';
  };
  std::size_t host_end = 0;
  if (bracketed) {
    host_end = text.find(']');
    if (host_end == std::string_view::npos || host_end == 1) return false;
    if (!characters::all_in(characters::authority, text)) return false;
    ++host_end;
  } else {
    while (host_end < text.size() && is_of_name(text[host_end])) ++host_end;
    if (host_end == 0) return false;
  }
  const std::string_view port = text.substr(host_end);
  return port.empty() || (port.front() == ':' && std::ranges::all_of(port.substr(1), is_digit));
}

}  // namespace

void HeadParser::reset() {
  scanned_ = 0;
  line_begin_ = 0;
  method_ = {};
  target_ = {};
  target_is_root_ = false;
  absolute_form_ = false;
  authority_form_ = false;
  authority_ = {};
  fields_begin_ = 0;
  framing_ = {};
  refusal_ = {};
}

bool HeadParser::refuse(int status, std::string_view code, std::string_view detail) {
  refusal_ = {status, code, detail};
  return false;
}

HeadParser::Progress HeadParser::advance(char* bytes, std::size_t size) {
  for (;;) {
    scanned_ = characters::find_not_text(bytes, scanned_, size);  // nothing else can be inside a line
    if (scanned_ > limits_.header_bytes_max ||
        (line_begin_ == 0 && scanned_ > limits_.target_bytes_max + request_line_overhead_max)) {
      return over_limit();
    }
    if (scanned_ == size) return Progress::more;
    if (bytes[scanned_] != '\r') return bad_character(bytes[scanned_]);
    if (scanned_ + 1 == size) return Progress::more;
    if (bytes[scanned_ + 1] != '\n') return bad_character('\r');

    const std::size_t begin = line_begin_;
    const std::size_t end = scanned_;
    scanned_ += 2;
    line_begin_ = scanned_;
    if (scanned_ > limits_.header_bytes_max) return over_limit();
    if (begin == 0) {
      if (!read_request_line(bytes, begin, end)) return Progress::refused;
      fields_begin_ = scanned_;
      if (fields_repeat(bytes, size)) return Progress::done;
      fields_.clear();
      seen_ = {};
      host_ = {};
    } else if (begin == end) {
      return finish(bytes) ? Progress::done : Progress::refused;
    } else if (!read_field(bytes, begin, end)) {
      return Progress::refused;
    }
  }
}

HeadParser::Progress HeadParser::over_limit() {
  if (line_begin_ == 0) {
    refuse(414, "target_too_long", "The request line is longer than this server takes.");
  } else {
    refuse(431, "header_too_large", "The request line and the fields together are larger than this server takes.");
  }
  return Progress::refused;
}

HeadParser::Progress HeadParser::bad_character(char character) {
  if (character == '\r') {
    malformed("A CR stands in the head without its LF.");
  } else if (character == '\n') {
    malformed("A line of the head ends in a bare LF; lines end in CR LF.");
  } else {
    malformed("A control character stands in the head.");
  }
  return Progress::refused;
}

bool HeadParser::read_request_line(char* bytes, std::size_t begin, std::size_t end) {
  const std::string_view line(bytes + begin, end - begin);
  const std::size_t after_method = line.find(' ');
  if (after_method == std::string_view::npos || !is_token(line.substr(0, after_method))) {
    return malformed("The request line does not begin with a method and one blank.");
  }
  const std::size_t after_target = line.find(' ', after_method + 1);
  if (after_target == std::string_view::npos)
    return malformed("The request line has no version; HTTP/0.9 is not spoken here.");
  method_ = {0, static_cast<std::uint32_t>(after_method)};
  if (!read_version(bytes + after_target + 1, end - after_target - 1)) return false;
  return read_target(bytes, begin + after_method + 1, begin + after_target);
}

bool HeadParser::read_version(char* bytes, std::size_t size) {
  const std::string_view version(bytes, size);
  if (version == "HTTP/1.1") return true;
  if (version == "HTTP/1.0") {
    framing_.http_1_0 = true;
    return true;
  }
  const bool well_formed = version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) &&
                           version[6] == '.' && is_digit(version[7]);
  if (well_formed && version[5] == '1') {
    // What is new in a later 1.x may be ignored (RFC 9110 section 2.5): it is read as the highest that is known here.
    bytes[size - 1] = '1';
    return true;
  }
  if (well_formed && version[5] != '0')
    return refuse(505, "version_not_supported", "This server speaks HTTP/1.1 and HTTP/1.0.");
  return malformed("The request line does not end in HTTP/1.1.");
}

bool HeadParser::read_target(char* bytes, std::size_t begin, std::size_t end) {
  const std::string_view target(bytes + begin, end - begin);
  if (target.size() > limits_.target_bytes_max)
    return refuse(414, "target_too_long", "The request's target is longer than this server takes.");
  if (target.find('\t') != std::string_view::npos || target.find('#') != std::string_view::npos)
    return malformed("The request's target has a character that must be percent-encoded.");
  target_ = {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(target.size())};
  if (target.starts_with('/')) return true;
  if (target == "*" && method_.in(bytes) == "OPTIONS") return true;
  if (method_.in(bytes) == "CONNECT" && target.find(':') != std::string_view::npos && is_authority(target)) {
    authority_form_ = true;
    return true;
  }
  return read_absolute_form(target, begin);
}

bool HeadParser::read_absolute_form(std::string_view target, std::size_t begin) {
  const std::size_t scheme_end = target.find("://");
  const std::string_view scheme = target.substr(0, scheme_end == std::string_view::npos ? 0 : scheme_end);
  if (!equal_ignoring_case(scheme, "http") && !equal_ignoring_case(scheme, "https")) {
    return malformed("The request's target is neither a path nor an http URL.");
  }
  const std::size_t authority_begin = scheme_end + 3;
  const std::size_t path_begin = std::min(target.find_first_of("/?", authority_begin), target.size());
  authority_ = {static_cast<std::uint32_t>(begin + authority_begin),
                static_cast<std::uint32_t>(path_begin - authority_begin)};
  target_ = {static_cast<std::uint32_t>(begin + path_begin), static_cast<std::uint32_t>(target.size() - path_begin)};
  absolute_form_ = true;
  target_is_root_ = target_.size == 0;
  return authority_.size > 0 || malformed("The URL in the request's target has no host.");
}

bool HeadParser::read_field(char* bytes, std::size_t begin, std::size_t end) {
  if (fields_.size() == limits_.fields_max)
    return refuse(431, "too_many_fields", "The request has more fields than this server takes.");
  const std::string_view line(bytes + begin, end - begin);
  if (is_blank(line.front())) return malformed("A field goes on in another line (obs-fold); write it in one.");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    return malformed("A line of the head is not a field: a name, a colon right after it, and a value.");
  }
  const std::string_view value = trim(line.substr(colon + 1));
  const auto value_begin = value.empty() ? begin + colon + 1 : static_cast<std::size_t>(value.data() - bytes);
  const Place value_place{static_cast<std::uint32_t>(value_begin - fields_begin_),
                          static_cast<std::uint32_t>(value.size())};
  // A tab around a value means what a blank does (OWS, RFC 9110 section 5.6.3), and llhttp knows only the blank there.
  std::replace(bytes + begin + colon + 1, bytes + value_begin, '\t', ' ');
  std::replace(bytes + value_begin + value.size(), bytes + end, '\t', ' ');
  fields_.push_back(
      {{static_cast<std::uint32_t>(begin - fields_begin_), static_cast<std::uint32_t>(colon)}, value_place});
  return read_known_field(line.substr(0, colon), value, value_place);
}

bool HeadParser::read_known_field(std::string_view name, std::string_view value, Place value_place) {
  switch (name.size()) {
    case 4:
      if (!equal_ignoring_case(name, "host")) return true;
      if (++seen_.hosts > 1) return malformed("The request has more than one Host.");
      if (!is_authority(value)) return malformed("The request's Host is not the name of a host.");
      host_ = value_place;
      return true;
    case 6:
      if (!equal_ignoring_case(name, "expect") || framing_.http_1_0) return true;
      (equal_ignoring_case(value, "100-continue") ? framing_.expects_continue : framing_.expects_other) = true;
      return true;
    case 10: return !equal_ignoring_case(name, "connection") || read_connection(value);
    case 14: return !equal_ignoring_case(name, "content-length") || read_content_length(value);
    case 17:
      if (!equal_ignoring_case(name, "transfer-encoding")) return true;
      if (++seen_.codings > 1 || !equal_ignoring_case(value, "chunked"))
        return malformed("The only Transfer-Encoding that is understood is chunked, once.");
      framing_.chunked = true;
      return true;
    default: return true;
  }
}

bool HeadParser::read_connection(std::string_view value) {
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    const std::string_view option = trim(value.substr(0, comma));
    value.remove_prefix(std::min(comma + 1, value.size()));
    if (option.empty()) continue;
    if (!is_token(option)) return malformed("The request's Connection is not a list of options.");
    seen_.close = seen_.close || equal_ignoring_case(option, "close");
    seen_.keep_alive = seen_.keep_alive || equal_ignoring_case(option, "keep-alive");
  }
  return true;
}

bool HeadParser::read_content_length(std::string_view value) {
  constexpr std::size_t digits_max = 18;  // 10^18 - 1 bytes are enough, and cannot overflow
  if (++seen_.lengths > 1) return malformed("The request has more than one Content-Length.");
  if (value.empty() || value.size() > digits_max || !std::ranges::all_of(value, is_digit)) {
    return malformed("The request's Content-Length is not one number.");
  }
  for (char digit : value)
    framing_.content_length = framing_.content_length * 10 + static_cast<std::uint64_t>(digit - '0');
  return true;
}

bool HeadParser::finish(char* bytes) {
  if (seen_.hosts == 0 && !framing_.http_1_0) return malformed("The request has no Host.");
  if (framing_.chunked && seen_.lengths > 0)
    return malformed("The request has both a Content-Length and a Transfer-Encoding.");
  if (framing_.chunked && framing_.http_1_0) return malformed("HTTP/1.0 has no Transfer-Encoding.");
  if (absolute_form_) {
    // HTTP/1.0 knows no Host.
    const std::string_view authority = authority_.in(bytes);
    if (seen_.hosts == 0 && !is_authority(authority)) return malformed("The URL in the request's target has no host.");
    if (seen_.hosts > 0 && !equal_ignoring_case(authority, host_.in(bytes + fields_begin_)))
      return malformed("The host in the request's target is not the one in its Host.");
  }
  framing_.keep_alive = !seen_.close && (!framing_.http_1_0 || seen_.keep_alive);
  if (!ask_llhttp(bytes)) return false;
  remember(bytes);
  if (absolute_form_ && target_.in(bytes).starts_with('?')) {
    // `http://host?query` has the path `/`, for which the last byte of the host, now read, makes room.
    bytes[--target_.begin] = '/';
    ++target_.size;
  }
  return true;
}

/// A comparison alone, for what it would find is known: the fields end with the empty line, and not before. What llhttp
/// would see of the request line differs from what it saw in the target only, and takes any of visible characters.
bool HeadParser::fields_repeat(const char* bytes, std::size_t size) {
  const std::size_t fields_size = remembered_.size();
  if (fields_size == 0 || fields_size > size - scanned_ || scanned_ + fields_size > limits_.header_bytes_max)
    return false;
  if (!may_repeat(bytes) || method_.in(bytes) != remembered_method_) return false;
  if (std::memcmp(bytes + scanned_, remembered_.data(), fields_size) != 0) return false;
  scanned_ += fields_size;
  framing_ = remembered_framing_;
  return true;
}

bool HeadParser::may_repeat(const char* bytes) const {
  return !framing_.http_1_0 && !absolute_form_ && is_plain_path(target_.in(bytes));
}

void HeadParser::remember(const char* bytes) {
  remembered_.clear();
  const std::size_t fields_size = scanned_ - fields_begin_;
  if (fields_size > remembered_bytes_max || !may_repeat(bytes)) return;
  remembered_.assign(bytes + fields_begin_, fields_size);
  remembered_method_ = method_.in(bytes);
  remembered_framing_ = framing_;
}

bool HeadParser::ask_llhttp(const char* bytes) {
  LlhttpVerdict verdict;
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &llhttp_settings());
  parser.data = &verdict;
  constexpr std::string_view stand_in = "POST";
  std::size_t shown = 0;
  llhttp_errno_t error = HPE_OK;
  if (method_from_text(method_.in(bytes)) == Method::other && !authority_form_) {
    error = llhttp_execute(&parser, stand_in.data(), stand_in.size());
    shown = method_.size;
  }
  if (error == HPE_OK) error = llhttp_execute(&parser, bytes + shown, scanned_ - shown);
  // An Upgrade is never taken up; llhttp stops to let us, after the head.
  if ((error != HPE_OK && error != HPE_PAUSED_UPGRADE) || !verdict.complete)
    return malformed("The request's head is not HTTP/1.1.");
  if (verdict.chunked != framing_.chunked || verdict.content_length != framing_.content_length) {
    return malformed("The length of the request's body is ambiguous.");
  }
  return true;
}

void HeadParser::describe(const char* bytes, Request& request) const {
  request.method_text = method_.in(bytes);
  request.method = method_from_text(request.method_text);
  // A URL without a path has the path `/`, but for OPTIONS, which is then about the server (RFC 9110 section 4.2.3).
  const std::string_view empty_path = request.method == Method::options ? "*" : "/";
  request.target = target_is_root_ ? empty_path : target_.in(bytes);
  const std::size_t question_mark = std::min(request.target.find('?'), request.target.size());
  request.path = request.target.substr(0, question_mark);
  request.query = request.target.substr(std::min(question_mark + 1, request.target.size()));
  request.fields.clear();
  const char* const of_fields = bytes + fields_begin_;
  for (const FieldPlace& place : fields_)
    request.fields.push_back({place.name.in(of_fields), place.value.in(of_fields)});
}

}  // namespace annals::http
