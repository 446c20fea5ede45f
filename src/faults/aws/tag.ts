/** The tag that says by which injection something of AWS was changed, or made. */
export const faultTag = 'holdfast:fault'
