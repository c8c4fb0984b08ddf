using Postern.Tproxy.Steering;

namespace Postern.Tproxy.Bpf;

/// <summary>A device that has the steering program.</summary>
/// <param name="Index">Interface index.</param>
/// <param name="Name">Its name when it was last looked at.</param>
/// <param name="Mode">Never <see cref="AttachMode.Automatic"/>.</param>
public sealed record AttachedDevice(int Index, string Name, AttachMode Mode);
