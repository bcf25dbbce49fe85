// What ethr-did-resolver makes of DIDs: {rpc, chainId, registry, dids} in, their resolutions out, in order.
import { Resolver } from "did-resolver";
import { getResolver } from "ethr-did-resolver";
import { readFileSync } from "node:fs";

const { rpc, chainId, registry, dids } = JSON.parse(readFileSync(0, "utf8"));
const resolver = new Resolver(getResolver({ networks: [{ chainId, rpcUrl: rpc, registry }] }));
const found = [];
for (const did of dids) found.push(await resolver.resolve(did));
process.stdout.write(JSON.stringify(found), () => process.exit(0));
