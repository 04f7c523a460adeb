/** For whoever reaches the server across amateur frequencies: what does not go on this way, and why. */
import { useModel } from '../../context'
import { Notice } from '../../parts/notice'

export function RadioWay() {
  const { radio } = useModel().server.value
  if (radio === null) return null
  return (
    <Notice kind="warn">
      <p>You reach this server across amateur frequencies: {radio}.</p>
      <p>Nothing may be encrypted there, and calls always are. You can see who is here; to call, join the server’s own Wi-Fi.</p>
    </Notice>
  )
}
