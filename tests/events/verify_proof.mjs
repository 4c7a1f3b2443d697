// Checks a proof as the README tells it, with nothing of Ratchet: node verify_proof.mjs FILE KEY
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";

const [file, key] = process.argv.slice(2);
const { event, path, head } = JSON.parse(readFileSync(file, "utf8"));
const hash = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();
const optional = (text) => (text === null ? "-" : "+" + text);

const lines = ["ratchet event 1", event.previous_hash, event.position, event.event_id, event.type,
  event.schema, event.stream, event.version, event.recorded_at, event.actor, event.correlation_id,
  optional(event.cause_id), optional(event.key_id), event.data];
let node = hash(Buffer.from(lines.join("\n")));

const beside = Buffer.from(path, "base64");
let [index, last] = [event.position - 1, head.position - 1];
let good = index <= last && beside.length % 32 === 0;
for (let i = 0; good && i < beside.length; i += 32) {
  const sibling = beside.subarray(i, i + 32);
  if (last === 0) good = false;
  else if (index % 2 === 1 || index === last) {
    node = hash(Buffer.from([1]), sibling, node);
    while (index % 2 === 0) [index, last] = [index / 2, last / 2];
  } else node = hash(Buffer.from([1]), node, sibling);
  [index, last] = [Math.floor(index / 2), Math.floor(last / 2)];
}
const said = `ratchet head 2\n${head.position}\n${head.hash}\n${node.toString("hex")}\n`;
const raw = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), Buffer.from(key, "hex")]);
const publicKey = createPublicKey({ key: raw, format: "der", type: "spki" });
good = good && last === 0
  && verify(null, Buffer.from(said), publicKey, Buffer.from(head.signature, "hex"));
console.log(good ? "holds" : "does not hold");
process.exit(good ? 0 : 1);
