-- Changes of fields. Values are JSON text that is cut out and put in by its length, never decoded:
-- what comes back is what was written, to the letter.
local function fields_of(s)
  local spans, json = line(s.value, s.data)
  local fields, at = {}, json + 1
  for name, length in string.gmatch(spans, '(%S+) (%d+)') do
    local from = at + #name + 3
    if string.sub(s.value, at, from - 1) ~= '"' .. name .. '":' then
      error({ err = 'CORRUPT the fields of a stored session are not where it says' })
    end
    fields[#fields + 1] = { name, string.sub(s.value, from, from + length - 1) }
    at = from + length + 1
  end
  if #fields > 0 and at - 1 ~= #s.value then
    error({ err = 'CORRUPT the fields of a stored session are not where it says' })
  end
  return fields
end

-- By bytes: the order of Lua depends on the locale of the server.
local function before(a, b)
  for at = 1, math.min(#a, #b) do
    local left, right = string.byte(a, at), string.byte(b, at)
    if left ~= right then
      return left < right
    end
  end
  return #a < #b
end

local function put(fields, name, value)
  for at, field in ipairs(fields) do
    if field[1] == name then
      if value == '' then
        table.remove(fields, at)
      else
        field[2] = value
      end
      return
    end
    if before(name, field[1]) then
      if value ~= '' then
        table.insert(fields, at, { name, value })
      end
      return
    end
  end
  if value ~= '' then
    fields[#fields + 1] = { name, value }
  end
end

-- The changes that the caller asks for: names and values; no value takes a field away.
local function operations()
  local ops = {}
  for at = 1, tonumber(argument()) do
    local name = argument()
    ops[at] = { name, argument() }
  end
  return ops
end

-- Gives a session these fields after these changes, or says which limit forbids it.
local function change(s, fields, ops)
  for _, op in ipairs(ops) do
    put(fields, op[1], op[2])
  end
  if #fields > FIELDS_MAX then
    return { 'refused', 'fields', text(#fields) }
  end
  local spans, parts = {}, {}
  for at, field in ipairs(fields) do
    if #field[2] > FIELD_MAX then
      return { 'refused', 'field', text(#field[2]), field[1] }
    end
    spans[at] = field[1] .. ' ' .. #field[2]
    parts[at] = '"' .. field[1] .. '":' .. field[2]
  end
  s.spans = table.concat(spans, ' ')
  s.json = '{' .. table.concat(parts, ',') .. '}'
  if #s.json > SESSION_MAX then
    return { 'refused', 'bytes', text(#s.json) }
  end
  return nil
end

-- The fields that a new session takes over.
local function kept_fields(s)
  local count = argument()
  local fields = fields_of(s)
  if count == '*' then
    return fields
  end
  local names = {}
  for _ = 1, tonumber(count) do
    names[argument()] = true
  end
  local kept_ones = {}
  for _, field in ipairs(fields) do
    if names[field[1]] then
      kept_ones[#kept_ones + 1] = field
    end
  end
  return kept_ones
end
