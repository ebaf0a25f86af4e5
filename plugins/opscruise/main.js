// OpsCruise posts what it would write to a chat: `{"text": "…"}`, where the text is an outline in the manner of YAML.
// It is read as an outline and not as YAML: what people typed into it (`Summary: 5xx: too many`) need not be YAML.

const TYPES = { open: "ALERT", update: "ALERT", acknowledged: "ALERT", resolved: "RECOVERY", closed: "RECOVERY" };

const SEVERITIES = {
  critical: "CRITICAL", fatal: "CRITICAL", emergency: "CRITICAL",
  error: "ERROR", major: "ERROR", high: "ERROR",
  warning: "WARNING", warn: "WARNING", minor: "WARNING", medium: "WARNING",
  info: "INFO", informational: "INFO", low: "INFO", normal: "INFO",
};

// `Header:` with `  Message Type: Open` below it, and `Header Message Type: Open`, are the same to us: names are written
// in full. Lines of a list, and lines without a name, go on with what stands above them.
function outline(text) {
  const fields = Object.create(null);
  const above = [];
  let last = null;
  const say = (name, value) => {
    if (value !== "") fields[name] = name in fields ? `${fields[name]}\n${value}` : value;
  };
  for (const line of text.split("\n")) {
    const words = bare(line);
    if (words === "" || words === "---") continue;
    const indent = line.length - line.trimStart().length;
    const colon = words.endsWith(":") ? words.length - 1 : words.indexOf(": ");
    const isItem = line.trimStart().startsWith("- ");
    if (colon < 0 || (isItem && last !== null)) {
      if (last !== null) say(last, words);
      continue;
    }
    while (above.length > 0 && above[above.length - 1].indent >= indent) above.pop();
    above.push({ indent, name: bare(words.slice(0, colon)) });
    last = above.map((heading) => heading.name).join(" ");
    const value = bare(words.slice(colon + 1));
    say(last, value === "|" || value === ">" ? "" : value);
  }
  return fields;
}

// A text without what a chat makes bold, without the dash of a list, and without quotes around it.
function bare(text) {
  let words = text.replaceAll("*", "").trim();
  if (words.startsWith("- ")) words = words.slice(2).trim();
  const isQuoted = words.length > 1 && `"'`.includes(words[0]) && words.endsWith(words[0]);
  return isQuoted ? words.slice(1, -1) : words;
}

export function map(req) {
  const text = req.body?.text;
  if (typeof text !== "string" || text.trim() === "") return { ignore: "it has no text: a test of the webhook" };
  const fields = outline(text);
  const byName = Object.create(null);
  for (const name in fields) byName[name.toLowerCase()] = fields[name];
  // The first of these names that is there, under `Header` or wherever else.
  const find = (...names) => {
    for (const name of names) {
      for (const full in byName) {
        if (full === name || full.endsWith(` ${name}`)) return byName[full];
      }
    }
    return undefined;
  };
  const messageType = find("message type", "status", "state");
  const event_type = TYPES[messageType?.toLowerCase()] ?? "ALERT";
  const ended = find("end time", "resolved time", "closed time", "updated time");
  const began = find("start time", "created time", "event time", "time", "timestamp", "date");
  return [{
    event_key: find("ticket id", "ticket", "incident id"),
    event_type,
    severity: SEVERITIES[find("severity", "priority")?.toLowerCase()] ?? "NONE",
    title: find("title", "alert name", "summary", "problem", "subject"),
    description: find("description", "details", "message", "explanation"),
    rule: find("alert type", "problem type", "rule", "alert name"),
    resources: [find("object name", "entity name", "object", "entity", "container", "pod", "node", "service", "host")],
    account: find("cluster name", "cluster", "tenant"),
    occurred_at: event_type === "RECOVERY" ? ended ?? began : began,
    additional_info: fields,
  }];
}
