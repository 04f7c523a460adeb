/** The sheet to hang up beside the access point. Only paper shows it. */
import { useModel } from '../context'
import { Call } from '../parts/call'
import { Qr } from '../parts/qr'
import './poster.css'

export function Poster() {
  const model = useModel()
  const server = model.server.value
  const [best = ''] = server.addresses
  return (
    <section class="poster" aria-hidden="true">
      <p class="poster-title">No internet? Meet here.</p>
      <p class="poster-lead">Write and pass files between phones and computers, over this network alone.</p>
      <Qr address={best} net={model.session.value.net} />
      <ol>
        <li>
          Join the Wi-Fi <span class="poster-blank" />
        </li>
        <li>Scan the code with your phone’s camera.</li>
        <li>
          Or type this address in a browser: <strong>{best}</strong>
        </li>
      </ol>
      <p class="poster-foot">
        <Call label={server.owner ?? ''} />
        {[server.ownerName, server.ownerGrid, 'keeps this server for everyone here. Guests are welcome.'].filter(Boolean).join(', ')}
      </p>
    </section>
  )
}
