// The trees of OpenZeppelin's own package: [[[device, kind], ...], ...] in, [{root, proofs}, ...] out, a proof per device.
import { StandardMerkleTree } from "@openzeppelin/merkle-tree";
import { readFileSync } from "node:fs";

const built = JSON.parse(readFileSync(0, "utf8")).map((devices) => {
  const tree = StandardMerkleTree.of(devices, ["address", "uint8"]);
  return { root: tree.root, proofs: devices.map((_, at) => tree.getProof(at)) };
});
process.stdout.write(JSON.stringify(built));
