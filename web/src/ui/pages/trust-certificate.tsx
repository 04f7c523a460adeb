/** What a person ought to know of the certificate before installing it: its limits, its name, its end. */
import type { SecureAddress } from '../../model'
import { useModel } from '../context'
import { Fingerprint } from '../parts/fingerprint'
import { Panel } from '../parts/panel'
import type { Guide } from './trust-guides'

export function TrustCertificate({ secure, guide }: { secure: SecureAddress; guide: Guide }) {
  const { owner, secure: onSecurePage } = useModel().server.value
  const amateur = secure.amateurNetworks.length === 0 ? '' : ` and the owner’s own of amateur radio, ${secure.amateurNetworks.join(' and ')}`
  return (
    <Panel title="The certificate">
      <p>
        It can vouch for this server’s own names and for addresses inside private networks{amateur}. It can never vouch for a site on the
        internet: your device enforces that. Inside these networks it could vouch for other machines too, so install it only if
        you trust {owner}.
      </p>
      {!onSecurePage && (
        <p>
          This page came over plain http, where somebody on this network could put another certificate in its place. If your device shows a SHA-256
          fingerprint, compare it with the server’s console or the owner’s own screen, not with this page alone.
        </p>
      )}
      <dl class="facts">
        <div>
          <dt>Its fingerprint. The same groups stand on the server’s console, and on the owner’s screen under Station, About</dt>
          <dd>
            <Fingerprint hex={secure.root} />
          </dd>
        </div>
        <div>
          <dt>It stays on the device until you remove it</dt>
          <dd>{guide.removal}</dd>
        </div>
      </dl>
    </Panel>
  )
}
